package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageRequestTest {

  private static final ImageRequest FOX = ImageRequest.of("a red fox in snow");

  @Test
  void of_promptAlone_defaults() {
    assertThat(FOX.prompt()).isEqualTo("a red fox in snow");
    assertThat(FOX.widthPx()).isEqualTo(1024);
    assertThat(FOX.heightPx()).isEqualTo(1024);
    assertThat(FOX.guidance()).isEqualTo(3.5);
    assertThat(FOX.count()).isEqualTo(1);
    assertThat(FOX.trueCfgScale()).isEqualTo(1);
    assertThat(FOX.negativePrompt()).isEmpty();
    assertThat(FOX.seed()).isEmpty();
    assertThat(FOX.textTokens()).isEmpty();
    assertThat(FOX.sampler()).isEmpty();
    assertThat(FOX.listener()).isEmpty();
  }

  @Test
  void withers_changeACopy() {
    ImageRequest changed =
        FOX.withPrompt("a blue fox")
            .withNegativePrompt("snow", 2)
            .withSize(512, 768)
            .withGuidance(0)
            .withSeed(7)
            .withCount(3)
            .withTextTokens(256)
            .withSampler(JitSampler.preset7x())
            .withListener(SamplingListener.none());
    assertThat(changed.prompt()).isEqualTo("a blue fox");
    assertThat(changed.negativePrompt()).hasValue("snow");
    assertThat(changed.trueCfgScale()).isEqualTo(2);
    assertThat(changed.widthPx()).isEqualTo(512);
    assertThat(changed.heightPx()).isEqualTo(768);
    assertThat(changed.guidance()).isZero();
    assertThat(changed.seed()).hasValue(7);
    assertThat(changed.count()).isEqualTo(3);
    assertThat(changed.textTokens()).hasValue(256);
    assertThat(changed.sampler()).hasValue(JitSampler.preset7x());
    assertThat(changed.listener()).isPresent();
    assertThat(FOX).isEqualTo(ImageRequest.of("a red fox in snow")).isNotEqualTo(changed);
  }

  @Test
  void size_notAMultipleOf16_namesNearest() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withSize(1024, 1000))
        .withMessage("height must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withSize(17, 1000))
        .withMessage("width must be a multiple of 16 px, got 17; try 16 or 32");
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -16, 0, 15, 16_400, Integer.MAX_VALUE})
  void size_outOfRange_refused(int px) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withSize(px, 1024))
        .withMessage("width must be from 16 to 16384 px, got " + px);
  }

  @Test
  void seed_outOfRange_refused() {
    assertThat(FOX.withSeed(Long.MAX_VALUE).seed()).hasValue(Long.MAX_VALUE);
    assertThat(FOX.withSeed(0).seed()).hasValue(0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withSeed(-1))
        .withMessageContaining("from 0 to 9223372036854775807")
        .withMessageContaining("got -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withSeed(Long.MAX_VALUE).withCount(2))
        .withMessageContaining("image 1 of 2 would have a seed beyond 2^63 - 1");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, -0.1})
  void guidance_notFiniteOrNegative_refused(double scale) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withGuidance(scale))
        .withMessageContaining("guidance must be 0 or above, got " + scale);
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 1, 0.5, -3})
  void negativePrompt_scaleNotAboveOne_refused(double scale) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withNegativePrompt("blur", scale))
        .withMessageContaining("must be above 1, got " + scale);
  }

  @Test
  void countAndTextTokens_belowOne_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withCount(0))
        .withMessage("count must be at least 1, got 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withTextTokens(0))
        .withMessage("textTokens must be at least 1, got 0");
  }

  @Test
  void nullArguments_refusedByName() {
    assertThatNullPointerException().isThrownBy(() -> ImageRequest.of(null)).withMessage("prompt");
    assertThatNullPointerException().isThrownBy(() -> FOX.withSampler(null)).withMessage("sampler");
    assertThatNullPointerException()
        .isThrownBy(() -> FOX.withListener(null))
        .withMessage("listener");
  }

  @Test
  void single_secondOfThree_nextSeedAndCountOne() {
    assertThat(FOX.withSeed(41).withCount(3).single(1)).isEqualTo(FOX.withSeed(42));
    assertThat(FOX.withCount(3).single(2)).isEqualTo(FOX);
  }

  @Test
  void equals_listenerOnly_doesNotCount() {
    ImageRequest heard = FOX.withListener(SamplingListener.none());
    assertThat(heard).isEqualTo(FOX).hasSameHashCodeAs(FOX);
  }

  static Stream<ImageRequest> requests() {
    return Stream.of(
        FOX,
        ImageRequest.of(""),
        FOX.withPrompt("Füchsin \uD83E\uDD8A im \u2028 Schnee\n\"'\\<>&\u0000 狐狸"),
        FOX.withPrompt("x".repeat(10_000)),
        FOX.withNegativePrompt("", 1.5)
            .withSize(16, 16_384)
            .withGuidance(Math.PI)
            .withSeed(Long.MAX_VALUE),
        FOX.withSeed(0).withCount(4).withTextTokens(512).withSampler(JitSampler.preset4x()),
        FOX.withSampler(new JitSampler(JitConfig.default7x().asReleased())),
        FOX.withSampler(new JitSampler(JitConfig.of(6, new Stage(0.5, 1.0 / 3), new Stage(1, 1)))),
        FOX.withSampler(new EulerSampler(SigmaSchedule.linear(), 4)),
        FOX.withSampler(new EulerSampler(new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096), 50)),
        FOX.withSampler(new PlainSampler(SigmaSchedule.linear(), 4, Solver.ADAMS_BASHFORTH_2)),
        FOX.withSampler(new JitSampler(JitConfig.default7x().withSolver(Solver.ADAMS_BASHFORTH_2))),
        FOX.withSampler(new EulerSampler(SigmaSchedule.beta(1.4, 0.42), 12)),
        FOX.withSampler(new EulerSampler(SigmaSchedule.custom(1, 0.1 + 0.2, 0), 2)));
  }

  @ParameterizedTest
  @MethodSource("requests")
  void json_roundTrip_equal(ImageRequest request) throws IOException {
    String json = request.toString();
    ImageRequest read = read(json);
    assertThat(read).isEqualTo(request).hasToString(json);
    assertThat(read.prompt()).isEqualTo(request.prompt());
    assertThat(read.sampler()).isEqualTo(request.sampler());
    assertThat(read.seed()).isEqualTo(request.seed());
    assertThat(read.guidance()).isEqualTo(request.guidance());
  }

  /** A sampler that no file can bring back. */
  private record OwnSampler(int steps, double strength) implements Sampler {
    @Override
    public ai.djl.ndarray.NDArray sample(VelocityModel model, SamplingRequest request) {
      return request.noise();
    }
  }

  @Test
  void equals_samplersOfOnesOwn_asTheySay() {
    ImageRequest own = FOX.withSampler(new OwnSampler(3, 0.5));
    assertThat(own)
        .isEqualTo(FOX.withSampler(new OwnSampler(3, 0.5)))
        .hasSameHashCodeAs(FOX.withSampler(new OwnSampler(3, 0.5)))
        .isNotEqualTo(FOX.withSampler(new OwnSampler(3, 0.6)));
  }

  @Test
  void json_samplerOfOnesOwn_onlyTheSamplerIsLost() throws IOException {
    ImageRequest request = FOX.withSeed(4).withGuidance(2).withNegativePrompt("snow", 3);
    String json = request.withSampler(new OwnSampler(3, 0.5)).toString();
    assertThat(json).contains("\"kind\":\"other\"", "\"steps\":3");
    assertThat(read(json)).isEqualTo(request);
    assertThat(SamplerJson.lost(parse(json).object("sampler")))
        .hasValue(OwnSampler.class.getName() + " (3 steps)");
  }

  @Test
  void countAndTextTokens_beyondAnyUse_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withCount(Integer.MAX_VALUE))
        .withMessage("count must be at most 10000, got 2147483647");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.withTextTokens(Integer.MAX_VALUE))
        .withMessage("textTokens must be at most 4096, got 2147483647");
  }

  private static StrictJson parse(String json) throws IOException {
    return StrictJson.parse(json, IOException::new);
  }

  private static ImageRequest read(String json) throws IOException {
    return RequestJson.read(parse(json));
  }

  @Test
  void json_fromBeforeThereWasAChoiceOfSolver_stepsByEuler() throws IOException {
    ImageRequest request = FOX.withSampler(JitSampler.preset4x());
    String json = request.toString();
    String old = json.replace("\"solver\":\"EULER\",", "");
    assertThat(old).isNotEqualTo(json);
    assertThat(read(old)).isEqualTo(request);
  }

  static Stream<String[]> damages() {
    return Stream.of(
        new String[] {"\"format\":1", "\"format\":2", "format: expected 1, found 2"},
        new String[] {"\"prompt\":", "\"text\":", "prompt: expected a text, found nothing"},
        new String[] {"\"widthPx\":1024", "\"widthPx\":1025", "width must be a multiple of 16"},
        new String[] {"\"widthPx\":1024", "\"widthPx\":\"wide\"", "expected a whole number"},
        new String[] {"\"guidance\":3.5", "\"guidance\":[]", "guidance: expected a number"},
        new String[] {"\"widthPx\":1024", "\"widthPx\":1024.9", "widthPx: expected a whole number"},
        new String[] {
          "\"widthPx\":1024",
          "\"widthPx\":4294968320",
          "widthPx: expected a whole number of 32 bits"
        },
        new String[] {"\"guidance\":3.5", "\"guidance\":1e400", "guidance: expected a number"},
        new String[] {"\"steps\":18", "\"steps\":2147483647", "at most 10000 steps"},
        new String[] {"\"seed\":1", "\"seed\":-1", "seed must be from 0"},
        new String[] {"\"seed\":1", "\"seed\":1e999999999", "seed: expected a whole number"},
        new String[] {
          "\"kind\":\"jit\"",
          "\"kind\":\"x\"",
          "sampler.kind: expected euler, plain, jit or other, found x"
        },
        new String[] {
          "\"type\":\"beta\"", "\"type\":\"x\"", "linear, dynamicShift, beta or custom"
        },
        new String[] {"\"steps\":18", "\"steps\":2", "stage"},
        new String[] {
          "UNCLIPPED", "WIDE", "sampler.blurWidth: expected one of [UNCLIPPED, CLIPPED]"
        },
        new String[] {
          "\"stages\":[", "\"stages\":[7,", "sampler.stages[0]: expected an object, found 7"
        },
        new String[] {
          "\"stages\":", "\"floors\":", "sampler.stages: expected a list, found nothing"
        },
        new String[] {"\"sampler\":{", "\"sampler\":3,\"y\":{", "expected an object, found 3"});
  }

  @ParameterizedTest
  @MethodSource("damages")
  void json_damaged_namesWhatIsWrong(String from, String to, String message) {
    String json = FOX.withSeed(1).withSampler(JitSampler.preset4x()).toString();
    assertThat(json).contains(from);
    String damaged = json.replace(from, to);
    assertThatThrownBy(() -> read(damaged))
        .isInstanceOfAny(IOException.class, IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
