package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SceneFilesTest {

  @Test
  void write_threeScenes_picturesAndDescriptionsAgree(@TempDir Path folder) throws IOException {
    SceneFiles.write(folder, "few", 32, 16, 40, 3);

    byte[] pictures = Files.readAllBytes(folder.resolve("few.rgb"));
    JsonArray listed =
        JsonParser.parseString(Files.readString(folder.resolve("few.json"))).getAsJsonArray();
    assertThat(pictures).hasSize(3 * 32 * 16 * 3);
    assertThat(listed).hasSize(3);
    for (int k = 0; k < 3; k++) {
      Scene scene = Scene.of(40 + k);
      assertThat(Arrays.copyOfRange(pictures, k * 1536, (k + 1) * 1536))
          .isEqualTo(SceneRenderer.render(scene, 32, 16));
      JsonObject described = listed.get(k).getAsJsonObject();
      assertThat(described.get("seed").getAsLong()).isEqualTo(40 + k);
      assertThat(described.getAsJsonArray("captions").get(0).getAsString())
          .isEqualTo(Caption.of(scene, 0).text());
      int position = 0;
      for (Attribute attribute : Attribute.values()) {
        assertThat(described.getAsJsonArray("values").get(position++).getAsInt())
            .isEqualTo(scene.value(attribute));
      }
    }
    assertThat(
            JsonParser.parseString(Files.readString(folder.resolve("attributes.json")))
                .getAsJsonArray())
        .hasSize(Attribute.values().length);
  }

  @Test
  void write_thatFails_leavesWhatWasThere(@TempDir Path folder) throws IOException {
    SceneFiles.write(folder, "few", 32, 16, 40, 3);
    byte[] pictures = Files.readAllBytes(folder.resolve("few.rgb"));
    byte[] listed = Files.readAllBytes(folder.resolve("few.json"));

    assertThatThrownBy(() -> SceneFiles.write(folder, "few", 8, 16, 50, 3))
        .isInstanceOf(IllegalArgumentException.class);

    assertThat(folder.resolve("few.rgb")).hasBinaryContent(pictures);
    assertThat(folder.resolve("few.json")).hasBinaryContent(listed);
    assertThat(names(folder)).containsExactly("attributes.json", "few.json", "few.rgb");
  }

  @Test
  void write_aPlaceIsTaken_leavesNoDescriptionAndNothingUnfinished(@TempDir Path folder)
      throws IOException {
    Files.createDirectories(folder.resolve("attributes.json").resolve("inside"));

    assertThatThrownBy(() -> SceneFiles.write(folder, "few", 32, 16, 40, 3))
        .isInstanceOf(IOException.class);

    assertThat(names(folder)).containsExactly("attributes.json", "few.rgb");
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void main_missingArguments_saysWhatIsExpected() {
    assertThatThrownBy(() -> SceneFiles.main(new String[] {"folder"}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("expected FOLDER NAME WIDTH HEIGHT FIRST_SEED COUNT, got [folder]");
  }
}
