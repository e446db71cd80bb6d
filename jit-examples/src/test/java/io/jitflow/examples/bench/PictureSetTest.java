package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PictureSetTest {
  @TempDir private Path folder;

  private Path names(String json) throws IOException {
    return Files.writeString(folder.resolve("names.json"), json);
  }

  private Path atlas(int width, int height) throws IOException {
    Path file = folder.resolve("references.png");
    PngFile.write(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), file);
    return file;
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{}", "[{}]", "[1]", "[{\"name\": null}]"})
  void read_namesOfAnotherKind_tellsTheFile(String json) throws IOException {
    Path names = names(json);
    Path atlas = atlas(512, 16);
    assertThatThrownBy(() -> PictureSet.read(names, atlas))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(names.toString(), "expected");
  }

  @Test
  void read_atlasOfAnotherSize_tellsBothSizes() throws IOException {
    Path names = names("[{\"name\": \"apple\"}]");
    Path atlas = atlas(512, 32);
    assertThatThrownBy(() -> PictureSet.read(names, atlas))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(
            atlas.toString(), "expected a picture of 512 x 16 px for 1 names", "512 x 32 px");
  }

  @Test
  void read_noAtlas_tellsTheFile() throws IOException {
    Path names = names("[{\"name\": \"apple\"}]");
    Path atlas = folder.resolve("nowhere.png");
    assertThatThrownBy(() -> PictureSet.read(names, atlas))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining(atlas.toString());
  }
}
