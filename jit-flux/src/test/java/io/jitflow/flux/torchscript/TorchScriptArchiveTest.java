package io.jitflow.flux.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchScriptArchiveTest {
  private static final Map<String, String> CODE = Map.of("probe", "class Probe(Module):\n");

  @TempDir Path folder;

  /** A tensor of one repeated byte. */
  private static TensorSource filled(long length, long delivered, int value) {
    return TensorSource.of(
        DType.I8,
        new long[] {length},
        channel -> {
          ByteBuffer chunk = ByteBuffer.allocate(1 << 20);
          for (int i = 0; i < chunk.capacity(); i++) {
            chunk.put(i, (byte) value);
          }
          for (long left = delivered; left > 0; left -= chunk.capacity()) {
            chunk.clear().limit((int) Math.min(left, chunk.capacity()));
            channel.write(chunk);
          }
        });
  }

  private static ScriptModule module(TensorSource... tensors) {
    ScriptModule.Builder builder = ScriptModule.builder("__torch__.probe.Probe");
    for (int i = 0; i < tensors.length; i++) {
      builder.tensor("t" + i, tensors[i]);
    }
    return builder.build();
  }

  private Path write(ScriptModule module) throws IOException {
    Path file = folder.resolve("probe.pt");
    TorchScriptArchive.write(file, "probe", module, CODE, bytes -> {});
    return file;
  }

  @Test
  void write_tensors_areStoredAlignedAndWhole() throws IOException {
    Path file = write(module(filled(5, 5, 1), filled(70, 70, 2), filled(3, 3, 3)));
    try (var zip = org.apache.commons.compress.archivers.zip.ZipFile.builder().setPath(file).get();
        RandomAccessFile raw = new RandomAccessFile(file.toFile(), "r")) {
      for (int key = 0; key < 3; key++) {
        ZipArchiveEntry entry = zip.getEntry("probe/data/" + key);
        assertThat(entry.getMethod()).isEqualTo(ZipEntry.STORED);
        assertThat(entry.getDataOffset() % 64).as("offset of %s", entry.getName()).isZero();
        raw.seek(entry.getDataOffset());
        byte[] bytes = new byte[(int) entry.getSize()];
        raw.readFully(bytes);
        assertThat(bytes).containsOnly(key + 1);
      }
      assertThat(zip.getEntry("probe/data/1").getSize()).isEqualTo(70);
    }
  }

  @Test
  void write_archive_hasTheEntriesThatLibtorchReads() throws IOException {
    Path file = write(module(filled(1, 1, 0)));
    try (ZipFile zip = new ZipFile(file.toFile())) {
      List<String> names = new ArrayList<>();
      zip.stream().forEach(entry -> names.add(entry.getName()));
      assertThat(names)
          .containsExactly(
              "probe/data.pkl",
              "probe/constants.pkl",
              "probe/code/__torch__/probe.py",
              "probe/byteorder",
              "probe/data/0",
              "probe/version");
      try (InputStream in = zip.getInputStream(zip.getEntry("probe/byteorder"))) {
        assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("little");
      }
    }
  }

  @Test
  void write_sameInputTwice_givesTheSameBytes() throws IOException {
    byte[] first = Files.readAllBytes(write(module(filled(9, 9, 4))));
    byte[] second = Files.readAllBytes(write(module(filled(9, 9, 4))));
    assertThat(second).isEqualTo(first);
  }

  @Test
  void write_progress_countsTensorBytesUpToTheTotal() throws IOException {
    List<Long> seen = new ArrayList<>();
    TorchScriptArchive.write(
        folder.resolve("p.pt"),
        "p",
        module(filled(3 << 20, 3 << 20, 1), filled(10, 10, 1)),
        CODE,
        seen::add);
    assertThat(seen).isSorted().hasSizeGreaterThan(3).last().isEqualTo((3L << 20) + 10);
  }

  @Test
  void write_tensorShorterThanAnnounced_namesTensorAndSizes() {
    assertThatThrownBy(() -> write(module(filled(8, 8, 0), filled(10, 7, 0))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("probe.pt")
        .hasMessageContaining("t1")
        .hasMessageContaining("10 bytes")
        .hasMessageContaining("7");
  }

  @Test
  void write_classWithoutCode_isRefused() {
    ScriptModule module =
        ScriptModule.builder("__torch__.probe.Probe")
            .child("inner", ScriptModule.builder("__torch__.other.Inner").build())
            .build();
    assertThatThrownBy(() -> write(module))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("__torch__.other.Inner")
        .hasMessageContaining("[probe]");
  }

  @Test
  void write_nameWithSlash_isRefused() {
    assertThatThrownBy(
            () -> TorchScriptArchive.write(folder.resolve("x"), "a/b", module(), CODE, bytes -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a/b");
  }

  @Test
  void builder_attributeTwice_isRefused() {
    ScriptModule.Builder builder = ScriptModule.builder("__torch__.probe.Probe").flag("a", true);
    assertThatThrownBy(() -> builder.integer("a", 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two attributes named a");
  }

  @Test
  @Tag("slow")
  void write_moreThanFourGigabytes_isReadableAsZip64() throws IOException {
    long large = (4L << 30) + 100;
    Path file = write(module(filled(large, large, 7), filled(5, 5, 9)));
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertThat(zip.getEntry("probe/data/0").getSize()).isEqualTo(large);
      try (InputStream in = zip.getInputStream(zip.getEntry("probe/data/1"))) {
        assertThat(in.readAllBytes()).containsOnly(9);
      }
      assertThat(Collections.list(zip.entries())).hasSize(7);
    }
  }
}
