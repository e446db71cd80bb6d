package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Listeners in listeners: what one wants reaches it through the others. */
class SamplingListenerTest {
  private static final TokenGrid GRID = new TokenGrid(6, 6);

  /** Wants the estimate of every second step. */
  private static final class Second implements SamplingListener {
    private final List<Integer> estimates = new ArrayList<>();
    private int steps;
    private boolean cancelled;

    @Override
    public void onStep(SamplingStep step) {
      steps++;
    }

    @Override
    public boolean wantsEstimate(int step) {
      return step % 2 == 1;
    }

    @Override
    public void onEstimate(int step, NDArray estimate) {
      assertThat(estimate.getShape().get(1)).isEqualTo(GRID.tokens());
      estimates.add(step);
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }
  }

  private static void sample(Sampler sampler, SamplingListener listener) {
    try (NDManager manager = NDManager.newBaseManager()) {
      sampler.sample(
          new WaveModel(), SamplingRequest.seeded(manager, GRID, 4, 1).withListener(listener));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sample_wrappedListener_hearsWhatItWantsAndNoMore(boolean jit) {
    Sampler sampler = jit ? JitSampler.forSpeedup(7) : new EulerSampler(SigmaSchedule.linear(), 5);
    Second wanting = new Second();
    List<Integer> plain = new ArrayList<>();
    SamplingListener all =
        new CancellableListener(
            SamplingListener.none()
                .andThen(new CancellableListener(wanting))
                .andThen(step -> plain.add(step.step())));
    sample(sampler, all);
    assertThat(wanting.steps).isEqualTo(sampler.steps());
    assertThat(plain).hasSize(sampler.steps());
    assertThat(wanting.estimates).hasSize(sampler.steps() / 2).startsWith(1, 3);
  }

  @Test
  void andThen_twoThatWantDifferentSteps_hearTheirOwn() {
    Second odd = new Second();
    List<Integer> third = new ArrayList<>();
    SamplingListener other =
        new SamplingListener() {
          @Override
          public void onStep(SamplingStep step) {}

          @Override
          public boolean wantsEstimate(int step) {
            return step == 2;
          }

          @Override
          public void onEstimate(int step, NDArray estimate) {
            third.add(step);
          }
        };
    sample(new EulerSampler(SigmaSchedule.linear(), 4), odd.andThen(other));
    assertThat(odd.estimates).containsExactly(1, 3);
    assertThat(third).containsExactly(2);
  }

  /** Wants what it is asked for the first time only, as one that goes by the clock does. */
  private static final class Once implements SamplingListener {
    private final List<Integer> asked = new ArrayList<>();
    private final List<Integer> estimates = new ArrayList<>();

    @Override
    public void onStep(SamplingStep step) {}

    @Override
    public boolean wantsEstimate(int step) {
      boolean first = !asked.contains(step);
      asked.add(step);
      return first;
    }

    @Override
    public void onEstimate(int step, NDArray estimate) {
      estimates.add(step);
    }
  }

  @Test
  void sample_wrappedListeners_areEachAskedOncePerStep() {
    Once deep = new Once();
    Once late = new Once();
    SamplingListener all =
        new CancellableListener(new Second().andThen(new CancellableListener(deep)).andThen(late));
    sample(new EulerSampler(SigmaSchedule.linear(), 4), all);
    for (Once listener : List.of(deep, late)) {
      assertThat(listener.asked).containsExactly(0, 1, 2, 3);
      assertThat(listener.estimates).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void andThen_oneCancels_cancels() {
    Second second = new Second();
    SamplingListener pair = SamplingListener.none().andThen(second);
    assertThat(pair.isCancelled()).isFalse();
    second.cancelled = true;
    assertThat(pair.isCancelled()).isTrue();
    assertThat(second.andThen(SamplingListener.none()).isCancelled()).isTrue();
  }

  @Test
  void delegates_wrappers_nameWhatTheyWrap() {
    Second second = new Second();
    assertThat(second.delegates()).isEmpty();
    assertThat(new CancellableListener(second).delegates()).containsExactly(second);
    SamplingListener none = SamplingListener.none();
    assertThat(none.andThen(second).delegates()).containsExactly(none, second);
  }
}
