package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import org.junit.jupiter.api.Test;

class ImageSettingsTest {
  private static final SigmaSchedule SCHEDULE = SigmaSchedule.beta(1.4, 0.4);

  @Test
  void request_nothingSet_isThePlainRequest() {
    assertThat(ImageSettings.none().request("a cat", SCHEDULE)).isEqualTo(ImageRequest.of("a cat"));
  }

  @Test
  void request_everythingSet_carriesEverything() {
    ImageSettings settings =
        ImageSettings.none()
            .withWidthPx(64)
            .withHeightPx(96)
            .withGuidance(2)
            .withSeed(7)
            .withCount(3)
            .withPreset("default_4x")
            .withSteps(20)
            .withNegativePrompt("a dog")
            .withTrueCfgScale(2);
    assertThat(settings.request("a cat", SCHEDULE))
        .isEqualTo(
            ImageRequest.of("a cat")
                .withSize(64, 96)
                .withGuidance(2)
                .withSeed(7)
                .withCount(3)
                .withSampler(new JitSampler(JitConfig.default4x().withSteps(20)))
                .withNegativePrompt("a dog", 2));
  }

  @Test
  void request_stepsWithoutPreset_areStandardStepsOfTheModelsSchedule() {
    ImageRequest expected = ImageRequest.of("a cat").withSampler(new EulerSampler(SCHEDULE, 9));
    ImageSettings steps = ImageSettings.none().withSteps(9);
    assertThat(steps.request("a cat", SCHEDULE)).isEqualTo(expected);
    assertThat(steps.withPreset("standard").request("a cat", SCHEDULE)).isEqualTo(expected);
  }

  @Test
  void orElse_openSettings_areTakenFromTheOthers() {
    ImageSettings usual =
        ImageSettings.none().withWidthPx(64).withSeed(1).withPreset("default_7x").withSteps(9);
    ImageSettings call = ImageSettings.none().withSeed(2);
    assertThat(call.orElse(usual)).isEqualTo(usual.withSeed(2));
    // nine steps were meant for the other preset
    assertThat(call.withPreset("default_4x").orElse(usual).steps()).isEmpty();
    assertThat(call.withSteps(8).orElse(usual)).isEqualTo(usual.withSeed(2).withSteps(8));
  }

  @Test
  void check_badValues_areRefusedBeforeThereIsAModel() {
    assertThatThrownBy(() -> ImageSettings.none().withWidthPx(1000).check())
        .hasMessage("width must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatThrownBy(() -> ImageSettings.none().withPreset("fastest").check())
        .hasMessageContaining("unknown preset \"fastest\"");
    assertThatThrownBy(() -> ImageSettings.none().withSteps(0).check())
        .hasMessageContaining("at least 1");
    assertThatThrownBy(
            () -> ImageSettings.none().withNegativePrompt("").withTrueCfgScale(1).check())
        .hasMessageContaining("above 1");
    assertThatThrownBy(() -> ImageSettings.none().withTrueCfgScale(0.5).check())
        .as("it would meet the negative prompt of a call")
        .hasMessageContaining("above 1, got 0.5");
  }
}
