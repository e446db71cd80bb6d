package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.EngineException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FailureTest {
  private static String outOfMemory(String command) {
    return Failure.of(
            new EngineException("CUDA out of memory\nframe #0"),
            Main.commandLine(new Interrupt()).getSubcommands().get(command).getCommandSpec())
        .message();
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate", "compare"})
  void of_outOfMemoryWithTheOptions_advisesThem(String command) {
    assertThat(outOfMemory(command))
        .startsWith("error: CUDA out of memory; make the image smaller, ")
        .contains("--low-memory", "--device")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({
    "study,; make the image smaller",
    "scenes,; make the image smaller",
    "probe,; make the image smaller",
    "sheet,; make the image smaller",
    "bench,; make the image smaller",
    "inspect,''"
  })
  void of_outOfMemoryWithoutTheOptions_doesNotNameThem(String command, String advice) {
    assertThat(outOfMemory(command)).isEqualTo("error: CUDA out of memory" + advice);
  }
}
