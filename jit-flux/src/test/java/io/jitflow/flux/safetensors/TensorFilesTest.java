package io.jitflow.flux.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TensorFilesTest {
  @TempDir Path folder;

  private Path index() {
    return folder.resolve("model.safetensors.index.json");
  }

  private Path shard(int number) {
    return folder.resolve("model-0000" + number + "-of-00002.safetensors");
  }

  private void twoShards() throws IOException {
    new RawSafetensors().add("a", DType.F32, 2).add("b", DType.F32, 3).writeSparse(shard(1));
    new RawSafetensors().add("c", DType.F32, 4).writeSparse(shard(2));
    index(
        "{\"metadata\":{\"total_size\":36},\"weight_map\":{\"a\":\"%1$s\",\"b\":\"%1$s\",\"c\":\"%2$s\"}}"
            .formatted(shard(1).getFileName(), shard(2).getFileName()));
  }

  private void index(String json) throws IOException {
    Files.writeString(index(), json);
  }

  private void refused(Path source, String... parts) {
    assertThatThrownBy(() -> TensorFiles.open(source).close())
        .isInstanceOf(SafetensorsException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void open_shards_areOneNamespace() throws IOException {
    twoShards();
    try (TensorFiles files = TensorFiles.open(index())) {
      assertThat(files.names()).containsExactly("a", "b", "c");
      assertThat(files.fileOf("c").path()).isEqualTo(shard(2));
      assertThat(files.info("b").shape()).containsExactly(3L);
      assertThat(files.files()).hasSize(2);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      files.writeTo("c", Channels.newChannel(out));
      assertThat(out.toByteArray()).hasSize(16);
      assertThatThrownBy(() -> files.info("d"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("tensor 'd': not in this checkpoint, which has 3 tensors");
    }
  }

  @Test
  void open_folderWithIndex_findsIt() throws IOException {
    twoShards();
    try (TensorFiles files = TensorFiles.open(folder)) {
      assertThat(files.source()).isEqualTo(index());
    }
  }

  @Test
  void open_folderWithOneFile_findsItAmongVariants() throws IOException {
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(folder.resolve("model.safetensors"));
    new RawSafetensors()
        .add("a", DType.F16, 2)
        .writeSparse(folder.resolve("model.fp16.safetensors"));
    try (TensorFiles files = TensorFiles.open(folder)) {
      assertThat(files.info("a").dtype()).isEqualTo(DType.F32);
    }
  }

  @Test
  void open_folderWithOneFileOfAnotherName_findsIt() throws IOException {
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(folder.resolve("ae.safetensors"));
    try (TensorFiles files = TensorFiles.open(folder)) {
      assertThat(files.names()).containsExactly("a");
    }
  }

  @Test
  void open_folderWithSeveralFilesOfOtherNames_isRefused() throws IOException {
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(folder.resolve("x.safetensors"));
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(folder.resolve("y.safetensors"));
    refused(folder, "found 2 (x.safetensors, y.safetensors)", "name the one to use");
  }

  @Test
  void open_folderWithIndexAndFile_isRefused() throws IOException {
    twoShards();
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(folder.resolve("model.safetensors"));
    refused(folder, "found model.safetensors.index.json and model.safetensors");
  }

  @Test
  void open_folderWithoutSafetensors_isRefused() throws IOException {
    refused(folder, "expected a .safetensors file, found none");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    refused(folder, "found weights in another format");
  }

  @Test
  void open_missingFolder_isRefused() {
    refused(folder.resolve("none"), "none: expected a file, found nothing");
  }

  @Test
  void open_missingShard_isRefused() throws IOException {
    twoShards();
    Files.delete(shard(2));
    refused(
        folder, shard(2).toString(), "expected this shard, named in model.safetensors.index.json");
  }

  @Test
  void open_indexNamesMissingTensor_isRefused() throws IOException {
    twoShards();
    new RawSafetensors().add("a", DType.F32, 2).writeSparse(shard(1));
    refused(folder, shard(1).toString(), "tensor 'b'", "expected in this shard", "not found");
  }

  @Test
  void open_indexNamesTensorTwice_isRefused() throws IOException {
    twoShards();
    index("{\"weight_map\":{\"a\":\"s1.safetensors\",\"a\":\"s2.safetensors\"}}");
    refused(folder, "tensor 'a'", "found in two: 's1.safetensors' and 's2.safetensors'");
  }

  @Test
  void open_tensorInTwoShards_isRefused() throws IOException {
    twoShards();
    new RawSafetensors().add("c", DType.F32, 4).add("a", DType.F32, 2).writeSparse(shard(2));
    refused(
        folder, shard(2).toString(), "tensor 'a'", "found in " + shard(1).getFileName() + " too");
  }

  @Test
  void open_shardPathLeavingTheFolder_isRefused() throws IOException {
    for (String path :
        new String[] {"../x.safetensors", "/etc/passwd", "sub/x", "..\\\\x", "..", "", "C:x"}) {
      index("{\"weight_map\":{\"a\":\"" + path + "\"}}");
      refused(folder, "tensor 'a'", "expected the name of a file beside the index");
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void open_shardIsALinkLoop_isRefused() throws IOException {
    twoShards();
    Files.delete(shard(2));
    Files.createSymbolicLink(shard(2), shard(2).getFileName());
    refused(folder, shard(2).toString(), "leads back to itself");
  }

  @Test
  void open_shardIsAFolder_isRefused() throws IOException {
    twoShards();
    Files.delete(shard(2));
    Files.createDirectory(shard(2));
    refused(folder, shard(2).toString(), "expected a file, found a folder");
  }

  @Test
  void open_indexNamesHalfOfASurrogatePair_isRefused() throws IOException {
    index("{\"weight_map\":{\"a\":\"\\ud800.safetensors\"}}");
    refused(folder, "expected ", "ud800.safetensors");
  }

  @Test
  void open_indexMalformed_isRefused() throws IOException {
    index("{\"weight_map\":{");
    refused(folder, index().toString(), "found malformed JSON");
  }

  @Test
  void open_indexNotUtf8_isRefused() throws IOException {
    Files.write(index(), "{\"w\u00e4\":1}".getBytes(StandardCharsets.ISO_8859_1));
    refused(folder, index().toString(), "expected an index in UTF-8");
  }

  @Test
  void open_indexWithoutWeightMap_isRefused() throws IOException {
    index("{\"metadata\":{}}");
    refused(folder, "one weight_map", "found none");
    index("{\"weight_map\":{}}");
    refused(folder, "found an empty one");
    index("{\"weight_map\":[]}");
    refused(folder, "found something that is no object");
    index("[]");
    refused(folder, "found no JSON object");
    index("{\"weight_map\":{\"a\":\"b\"},\"weight_map\":{\"a\":\"b\"}}");
    refused(folder, "found two of them");
    index("{\"weight_map\":{\"a\":\"b\"}} {}");
    refused(folder, "something after the JSON object");
  }

  @Test
  void open_indexWithFileThatIsNoString_isRefused() throws IOException {
    index("{\"weight_map\":{\"a\":3}}");
    refused(folder, "tensor 'a': expected a file name, found something else");
  }
}
