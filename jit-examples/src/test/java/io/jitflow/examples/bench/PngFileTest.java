package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class PngFileTest {
  private static final BufferedImage PICTURE = new BufferedImage(8, 4, BufferedImage.TYPE_INT_RGB);

  @TempDir Path folder;

  @Test
  void write_overAnOldFile_replacesItAndLeavesNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("picture.png"), "old");
    PngFile.write(PICTURE, file);
    assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(8);
    assertThat(folder.toFile().list()).containsExactly("picture.png");
  }

  @Test
  void write_whereAFolderIs_failsAndLeavesNothingElse() throws IOException {
    Path file = folder.resolve("picture.png");
    Files.createDirectories(file.resolve("in the way"));
    assertThatThrownBy(() -> PngFile.write(PICTURE, file)).isInstanceOf(IOException.class);
    assertThat(file.resolve("in the way")).exists();
    assertThat(folder.toFile().list()).containsExactly("picture.png");
  }

  @Test
  void write_throughALink_replacesTheFileThatItNames() throws IOException {
    Path file = Files.writeString(folder.resolve("picture.png"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), file);
    PngFile.write(PICTURE, link);
    assertThat(link).isSymbolicLink();
    assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(8);
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void write_toADevice_leavesTheDevice() throws IOException {
    Path device = Path.of("/dev/null");
    PngFile.write(PICTURE, device);
    assertThat(device).exists();
    assertThat(Files.isRegularFile(device)).isFalse();
  }
}
