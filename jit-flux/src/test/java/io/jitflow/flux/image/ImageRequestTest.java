package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.google.gson.JsonParser;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
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
        FOX.prompt("a blue fox")
            .negativePrompt("snow", 2)
            .size(512, 768)
            .guidance(0)
            .seed(7)
            .count(3)
            .textTokens(256)
            .sampler(JitSampler.preset7x())
            .listener(SamplingListener.none());
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
        .isThrownBy(() -> FOX.size(1024, 1000))
        .withMessage("height must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.size(17, 1000))
        .withMessage("width must be a multiple of 16 px, got 17; try 16 or 32");
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -16, 0, 15, 16_400, Integer.MAX_VALUE})
  void size_outOfRange_refused(int px) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.size(px, 1024))
        .withMessage("width must be from 16 to 16384 px, got " + px);
  }

  @Test
  void seed_outOfRange_refused() {
    assertThat(FOX.seed(Long.MAX_VALUE).seed()).hasValue(Long.MAX_VALUE);
    assertThat(FOX.seed(0).seed()).hasValue(0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.seed(-1))
        .withMessageContaining("from 0 to 9223372036854775807")
        .withMessageContaining("got -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.seed(Long.MAX_VALUE).count(2))
        .withMessageContaining("image 1 of 2 would have a seed beyond 2^63 - 1");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, -0.1})
  void guidance_notFiniteOrNegative_refused(double scale) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.guidance(scale))
        .withMessageContaining("guidance must be 0 or above, got " + scale);
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, 1, 0.5, -3})
  void negativePrompt_scaleNotAboveOne_refused(double scale) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.negativePrompt("blur", scale))
        .withMessageContaining("must be above 1, got " + scale);
  }

  @Test
  void countAndTextTokens_belowOne_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.count(0))
        .withMessage("count must be at least 1, got 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FOX.textTokens(0))
        .withMessage("textTokens must be at least 1, got 0");
  }

  @Test
  void nullArguments_refusedByName() {
    assertThatNullPointerException().isThrownBy(() -> ImageRequest.of(null)).withMessage("prompt");
    assertThatNullPointerException().isThrownBy(() -> FOX.sampler(null)).withMessage("sampler");
    assertThatNullPointerException().isThrownBy(() -> FOX.listener(null)).withMessage("listener");
  }

  @Test
  void single_secondOfThree_nextSeedAndCountOne() {
    assertThat(FOX.seed(41).count(3).single(1)).isEqualTo(FOX.seed(42));
    assertThat(FOX.count(3).single(2)).isEqualTo(FOX);
  }

  @Test
  void equals_listenerOnly_doesNotCount() {
    ImageRequest heard = FOX.listener(SamplingListener.none());
    assertThat(heard).isEqualTo(FOX).hasSameHashCodeAs(FOX);
  }

  static Stream<ImageRequest> requests() {
    return Stream.of(
        FOX,
        ImageRequest.of(""),
        FOX.prompt("Füchsin \uD83E\uDD8A im \u2028 Schnee\n\"'\\<>&\u0000 狐狸"),
        FOX.prompt("x".repeat(10_000)),
        FOX.negativePrompt("", 1.5).size(16, 16_384).guidance(Math.PI).seed(Long.MAX_VALUE),
        FOX.seed(0).count(4).textTokens(512).sampler(JitSampler.preset4x()),
        FOX.sampler(new JitSampler(JitConfig.default7x().asReleased())),
        FOX.sampler(new JitSampler(JitConfig.of(6, new Stage(0.5, 1.0 / 3), new Stage(1, 1)))),
        FOX.sampler(new EulerSampler(SigmaSchedule.linear(), 4)),
        FOX.sampler(new EulerSampler(SigmaSchedule.fluxShift(), 50)),
        FOX.sampler(new EulerSampler(SigmaSchedule.beta(1.4, 0.42), 12)),
        FOX.sampler(new EulerSampler(SigmaSchedule.custom(1, 0.1 + 0.2, 0), 2)));
  }

  @ParameterizedTest
  @MethodSource("requests")
  void json_roundTrip_equal(ImageRequest request) {
    String json = request.toString();
    ImageRequest read = RequestJson.read(JsonParser.parseString(json).getAsJsonObject());
    assertThat(read).isEqualTo(request).hasToString(json);
    assertThat(read.prompt()).isEqualTo(request.prompt());
    assertThat(read.sampler()).isEqualTo(request.sampler());
    assertThat(read.seed()).isEqualTo(request.seed());
    assertThat(read.guidance()).isEqualTo(request.guidance());
  }

  @Test
  void json_samplerOfOnesOwn_writtenButNotRead() {
    Sampler own =
        new Sampler() {
          @Override
          public ai.djl.ndarray.NDArray sample(VelocityModel model, SamplingRequest request) {
            return request.noise();
          }

          @Override
          public int steps() {
            return 3;
          }
        };
    String json = FOX.sampler(own).toString();
    assertThat(json).contains("\"kind\":\"other\"", "\"steps\":3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RequestJson.read(JsonParser.parseString(json).getAsJsonObject()))
        .withMessageContaining("a sampler of its own")
        .withMessageContaining(own.getClass().getName());
  }

  static Stream<String[]> damages() {
    return Stream.of(
        new String[] {"\"format\":1", "\"format\":2", "expected format 1, found 2"},
        new String[] {"\"prompt\":", "\"text\":", "\"prompt\": expected a text, found nothing"},
        new String[] {"\"widthPx\":1024", "\"widthPx\":1025", "width must be a multiple of 16"},
        new String[] {"\"widthPx\":1024", "\"widthPx\":\"wide\"", "expected a whole number"},
        new String[] {"\"guidance\":3.5", "\"guidance\":[]", "\"guidance\": expected a number"},
        new String[] {"\"seed\":1", "\"seed\":-1", "seed must be from 0"},
        new String[] {"\"seed\":1", "\"seed\":1e999999999", "\"seed\": expected a whole number"},
        new String[] {"\"kind\":\"jit\"", "\"kind\":\"x\"", "kind euler or jit, found 'x'"},
        new String[] {
          "\"type\":\"beta\"", "\"type\":\"x\"", "linear, dynamicShift, beta or custom"
        },
        new String[] {"\"steps\":18", "\"steps\":2", "stage"},
        new String[] {"UNCLIPPED", "WIDE", "\"blurWidth\": expected one of [UNCLIPPED, CLIPPED]"},
        new String[] {"\"stages\":[", "\"stages\":[7,", "\"stages\": expected objects, found 7"},
        new String[] {"\"stages\":", "\"floors\":", "\"stages\": expected a list, found nothing"},
        new String[] {"\"sampler\":{", "\"sampler\":3,\"y\":{", "expected an object, found 3"});
  }

  @ParameterizedTest
  @MethodSource("damages")
  void json_damaged_namesWhatIsWrong(String from, String to, String message) {
    String json = FOX.seed(1).sampler(JitSampler.preset4x()).toString();
    assertThat(json).contains(from);
    String damaged = json.replace(from, to);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RequestJson.read(JsonParser.parseString(damaged).getAsJsonObject()))
        .withMessageContaining(message);
  }
}
