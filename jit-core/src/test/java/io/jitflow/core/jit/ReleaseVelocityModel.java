package io.jitflow.core.jit;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.testing.Npz;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A recorded TorchScript velocity field with its conditioning, for a batch of one. */
final class ReleaseVelocityModel implements VelocityModel, AutoCloseable {
  private final Model model = Model.newInstance("field", "PyTorch");
  private final Npz conditioning;
  private int evaluations;

  ReleaseVelocityModel(Path torchScript, Npz conditioning) {
    this.conditioning = conditioning;
    try {
      model.load(torchScript);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (MalformedModelException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @Override
  public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    evaluations++;
    NDManager manager = tokens.getManager();
    NDArray ids = at.positions().get(0);
    ids.attach(manager);
    NDArray time = manager.create(new float[] {(float) sigma});
    return forward(
        new NDList(
            tokens,
            conditioning.get("encoder_hidden_states"),
            conditioning.get("pooled_projections"),
            time,
            ids,
            conditioning.get("txt_ids"),
            conditioning.get("guidance")));
  }

  NDArray forward(NDList inputs) {
    inputs.forEach(input -> input.setName(null));
    ParameterStore store = new ParameterStore(inputs.head().getManager(), false);
    return model.getBlock().forward(store, inputs, false).singletonOrThrow();
  }

  int evaluations() {
    return evaluations;
  }

  @Override
  public void close() {
    model.close();
  }
}
