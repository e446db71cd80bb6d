package io.jitflow.flux;

import static io.jitflow.flux.weights.FluxNetwork.TEXT_ENCODER;
import static io.jitflow.flux.weights.FluxNetwork.TEXT_ENCODER_2;
import static io.jitflow.flux.weights.FluxNetwork.TRANSFORMER;
import static io.jitflow.flux.weights.FluxNetwork.VAE_DECODER;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.network.FluxTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadedNetworksTest {
  @TempDir Path scratch;

  @Test
  void use_policiesOfLessAndLessMemory_freesWhatHasNoRoomOrLiesElsewhere() throws IOException {
    FluxBundle bundle = FluxBundle.read(TinyBundle.dev(scratch));
    ArithmeticChoice arithmetic = ArithmeticChoice.of(FluxOptions.defaults(), bundle, Device.cpu());
    try (Adaptation none = Adaptation.open(bundle, List.of());
        LoadedNetworks networks =
            new LoadedNetworks(
                bundle,
                Device.cpu(),
                MemoryPolicy.RESIDENT,
                arithmetic,
                none,
                PipelineListener.NONE)) {
      networks.preload();
      assertThat(networks.inMemory())
          .containsOnly(TEXT_ENCODER, TEXT_ENCODER_2, TRANSFORMER, VAE_DECODER);
      FluxTransformer resident = networks.transformer();

      networks.use(MemoryPolicy.SEQUENTIAL);
      assertThat(networks.inMemory()).as("until another is asked for").hasSize(4);
      assertThat(networks.transformer()).isSameAs(resident);
      assertThat(networks.inMemory()).containsOnly(TRANSFORMER, VAE_DECODER);
      networks.t5();
      assertThat(networks.inMemory()).containsOnly(TEXT_ENCODER_2, VAE_DECODER);
      networks.clip();
      assertThat(networks.inMemory()).containsOnly(TEXT_ENCODER, TEXT_ENCODER_2, VAE_DECODER);

      networks.use(MemoryPolicy.STREAMED);
      assertThat(networks.inMemory()).containsOnly(VAE_DECODER);
      FluxTransformer streamed = networks.transformer();
      networks.use(MemoryPolicy.STREAMED);
      assertThat(networks.transformer()).isSameAs(streamed);

      networks.use(MemoryPolicy.RESIDENT);
      assertThat(networks.inMemory()).containsOnly(VAE_DECODER);
    }
  }
}
