package io.jitflow.core.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.VelocityModel;

/**
 * A velocity that depends on token, place and noise level, token by token: the same numbers for any
 * subset and any batch. Thread-safe.
 */
public final class WaveModel implements VelocityModel {
  @Override
  public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    NDManager manager = tokens.getManager();
    try (NDManager scratch = manager.newSubManager()) {
      NDArray row = at.positions().get(scratch, new NDIndex(":, :, 1:2"));
      NDArray col = at.positions().get(scratch, new NDIndex(":, :, 2:"));
      NDArray wave = row.mul(0.7f).add(col.mul(0.3f)).sin().add(row.mul(col).mul(0.05f).cos());
      NDArray velocity = tokens.mul((float) (0.3 + 0.5 * sigma)).subi(wave);
      velocity.attach(manager);
      return velocity;
    }
  }
}
