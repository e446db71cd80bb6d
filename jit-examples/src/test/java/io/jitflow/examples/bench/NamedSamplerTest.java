package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.SigmaSchedule;
import java.util.List;
import org.junit.jupiter.api.Test;

class NamedSamplerTest {
  private static final SigmaSchedule STANDARD = SigmaSchedule.linear();

  @Test
  void lists_haveOneNameEachAndALineInTheChart() {
    for (List<NamedSampler> list :
        List.of(NamedSampler.all(STANDARD), NamedSampler.oneChanged(STANDARD))) {
      assertThat(list).extracting(NamedSampler::name).doesNotHaveDuplicates();
      assertThat(list).extracting(NamedSampler::method).noneMatch(String::isBlank);
    }
  }

  @Test
  void settings_ofDifferentSamplers_differ() {
    assertThat(NamedSampler.all(STANDARD))
        .extracting(NamedSampler::settings)
        .doesNotHaveDuplicates();
    assertThat(NamedSampler.baselines(STANDARD).get(3).settings())
        .isNotEqualTo(NamedSampler.baselines(SigmaSchedule.beta(1, 0.5)).get(3).settings());
  }
}
