package io.jitflow.flux.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve("model.safetensors");
  }

  private static Path parity(String path) {
    return Path.of(System.getProperty("jit.fixtures"), "parity").resolve(path);
  }

  @Test
  void open_parityCheckpoint_listsTensorsInDataOrder() throws IOException {
    try (SafetensorsFile st =
        SafetensorsFile.open(parity("flux-tiny-transformer/schnell/bfl.safetensors"))) {
      assertThat(st.info("img_in.weight").dtype()).isEqualTo(DType.BF16);
      assertThat(st.info("img_in.weight").shape()).containsExactly(32L, 64L);
      assertThat(st.info("img_in.weight").byteSize()).isEqualTo(4096);
      assertThat(st.info("img_in.weight").elementCount()).isEqualTo(2048);
      List<TensorInfo> tensors = List.copyOf(st.tensors().values());
      assertThat(tensors).isSortedAccordingTo(Comparator.comparingLong(TensorInfo::begin));
      assertThat(tensors.get(tensors.size() - 1).end()).isEqualTo(st.size());
    }
  }

  @Test
  void open_metadataScalarEmptyTensorAndPadding_areRead() throws IOException {
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
            + "\"a\":{\"shape\":[0,3],\"data_offsets\":[4,4],\"dtype\":\"F64\"}}   ";
    RawSafetensors.writeSparse(file(), header, 4);
    try (SafetensorsFile st = SafetensorsFile.open(file())) {
      assertThat(st.metadata()).containsEntry("format", "pt");
      assertThat(st.info("b").elementCount()).isEqualTo(1);
      assertThat(st.info("a").elementCount()).isZero();
      assertThat(st.slice("a", 0, 0).remaining()).isZero();
    }
  }

  @Test
  void slice_acrossWindows_readsTheSameBytesAsTheFile() throws IOException {
    RawSafetensors raw =
        new RawSafetensors().add("x", DType.U8, 11).add("y", DType.U8, 300).add("z", DType.U8, 1);
    raw.writeSparse(file());
    byte[] bytes = Files.readAllBytes(file());
    int begin = bytes.length - 312;
    for (int i = begin; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31);
    }
    Files.write(file(), bytes);
    try (SafetensorsFile st = SafetensorsFile.open(file(), 64, 16)) {
      for (int offset = 0; offset <= 284; offset++) {
        ByteBuffer part = st.slice("y", offset, 16);
        for (int i = 0; i < 16; i++) {
          assertThat(part.get(i)).isEqualTo(bytes[begin + 11 + offset + i]);
        }
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      st.writeTo("y", Channels.newChannel(out));
      assertThat(out.toByteArray()).isEqualTo(Arrays.copyOfRange(bytes, begin + 11, begin + 311));
    }
  }

  @Test
  void slice_beyondTwoGibibytes_readsTheRightBytes() throws IOException {
    long elements = (5L << 30) / 2;
    new RawSafetensors().add("big", DType.BF16, elements).writeSparse(file());
    long size = Files.size(file());
    long marked = size - 7;
    try (RandomAccessFile out = new RandomAccessFile(file().toFile(), "rw")) {
      out.seek(marked);
      out.write(new byte[] {1, 2, 3, 4, 5, 6, 7});
    }
    try (SafetensorsFile st = SafetensorsFile.open(file())) {
      ByteBuffer tail = st.slice("big", elements * 2 - 8, 8);
      assertThat(tail.isReadOnly()).isTrue();
      assertThat(tail.isDirect()).isTrue();
      assertThat(tail.getLong()).isEqualTo(0x0706050403020100L);
    }
  }

  @Test
  void slice_afterClose_isRefused() throws IOException {
    new RawSafetensors().add("x", DType.F32, 4).writeSparse(file());
    SafetensorsFile st = SafetensorsFile.open(file());
    st.close();
    st.close();
    assertThatThrownBy(() -> st.slice("x", 0, 4))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void slice_outsideTheTensor_isRefused() throws IOException {
    new RawSafetensors().add("x", DType.F32, 4).add("y", DType.F32, 4).writeSparse(file());
    try (SafetensorsFile st = SafetensorsFile.open(file())) {
      assertThatThrownBy(() -> st.slice("x", 8, 12))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("has 16 bytes, got offset 8 and length 12");
      assertThatThrownBy(() -> st.slice("x", -1, 1)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> st.slice("x", 0, SafetensorsFile.MAX_SLICE_BYTES + 1))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> st.slice("nope", 0, 1))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("tensor 'nope': not in this file, which has 2 tensors");
    }
  }

  // One test per way a file can be malformed.

  private void refused(String... parts) {
    assertThatThrownBy(() -> SafetensorsFile.open(file()).close())
        .isInstanceOf(SafetensorsException.class)
        .hasMessageStartingWith(file().toString())
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  private void headerRefused(String header, long dataBytes, String... parts) throws IOException {
    RawSafetensors.writeSparse(file(), header, dataBytes);
    refused(parts);
  }

  private void tensorRefused(String info, long dataBytes, String... parts) throws IOException {
    RawSafetensors.writeSparse(file(), "{\"net.weight\":" + info + "}", dataBytes);
    refused(parts);
    refused("tensor 'net.weight'");
    assertThatThrownBy(() -> SafetensorsFile.open(file()).close())
        .isInstanceOfSatisfying(
            SafetensorsException.class,
            e -> {
              assertThat(e.tensor()).hasValue("net.weight");
              assertThat(e.file()).hasValue(file());
            });
  }

  private static String info(String dtype, String shape, String offsets) {
    return "{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets);
  }

  @Test
  void open_missingFile_isRefused() {
    refused("expected a file, found nothing");
  }

  @Test
  void open_folder_isRefused() throws IOException {
    Files.createDirectory(file());
    refused("expected a file, found a folder");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void open_danglingLink_isRefused() throws IOException {
    Files.createSymbolicLink(file(), Path.of("gone"));
    refused("is a link to gone, which does not exist");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void open_linkLoop_isRefused() throws IOException {
    Files.createSymbolicLink(file(), Path.of("other"));
    Files.createSymbolicLink(folder.resolve("other"), file().getFileName());
    refused("is a link to other that leads back to itself");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void open_linkToFile_isFollowed() throws IOException {
    Path blob = new RawSafetensors().add("x", DType.F32, 4).writeSparse(folder.resolve("blob"));
    Files.createSymbolicLink(file(), blob);
    try (SafetensorsFile st = SafetensorsFile.open(file())) {
      assertThat(st.tensors()).containsKey("x");
    }
  }

  @Test
  void open_emptyFile_isRefused() throws IOException {
    Files.createFile(file());
    refused("found an empty file");
  }

  @Test
  void open_fileShorterThanTheLength_isRefused() throws IOException {
    Files.write(file(), new byte[7]);
    refused("expected at least 8 bytes of header length, found 7 bytes");
  }

  @Test
  void open_negativeHeaderLength_isRefused() throws IOException {
    RawSafetensors.writeRaw(file(), -1, new byte[10]);
    refused("expected a header of at most 100000000 bytes", "18446744073709551615");
  }

  @Test
  void open_headerLengthAboveTheLimit_isRefused() throws IOException {
    RawSafetensors.writeRaw(file(), 100_000_001, new byte[10]);
    refused("found a length of 100000001");
  }

  @Test
  void open_gitLfsPointer_saysWhatItIs() throws IOException {
    Files.writeString(
        file(), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    refused("this is a Git LFS pointer and not the file; run git lfs pull");
  }

  @Test
  void open_webPage_saysWhatItIs() throws IOException {
    Files.writeString(file(), "<!DOCTYPE html><html>Access to this model is restricted</html>");
    refused("this is a web page and not the file");
  }

  @Test
  void open_headerLengthBeyondTheFile_isRefused() throws IOException {
    RawSafetensors.writeRaw(file(), 11, new byte[10]);
    refused("expected a header of 11 bytes, found 10 bytes in the whole file", "truncated");
  }

  @Test
  void open_headerNotUtf8_isRefused() throws IOException {
    byte[] json = "{\"na_e\":1}".getBytes(StandardCharsets.ISO_8859_1);
    json[4] = (byte) 0xff;
    RawSafetensors.writeRaw(file(), json.length, json);
    refused("expected a header in UTF-8");
  }

  @Test
  void open_headerNotJson_isRefused() throws IOException {
    headerRefused("{\"x\":", 0, "malformed JSON");
    headerRefused("{x:1}", 0, "found malformed JSON (line 1, column 3);");
    headerRefused("{\"x\" 1}", 0, "malformed JSON");
    headerRefused("", 0, "malformed JSON");
  }

  @Test
  void open_headerNestedDeeply_isRefused() throws IOException {
    String deep = "[".repeat(200_000) + "]".repeat(200_000);
    headerRefused("{\"x\":{\"extra\":" + deep + ",\"dtype\":\"F32\"}}", 0, "malformed JSON");
  }

  @Test
  void open_headerNotAnObject_isRefused() throws IOException {
    headerRefused("[1]", 0, "expected a header that is a JSON object, found an array");
    headerRefused("\"x\"", 0, "found a string");
    headerRefused("null", 0, "found null");
  }

  @Test
  void open_somethingAfterTheHeader_isRefused() throws IOException {
    headerRefused("{}{}", 0, "expected nothing but spaces after the header's JSON object");
  }

  @Test
  void open_duplicateName_isRefused() throws IOException {
    String info = info("\"F32\"", "[1]", "[0,4]");
    headerRefused(
        "{\"x\":" + info + ",\"x\":" + info + "}",
        4,
        "tensor 'x'",
        "expected every name once in the header, found it twice");
  }

  @Test
  void open_duplicateNameWrittenDifferently_isRefused() throws IOException {
    String info = info("\"F32\"", "[1]", "[0,4]");
    headerRefused("{\"x\":" + info + ",\"\\u0078\":" + info + "}", 4, "found it twice");
  }

  @Test
  void open_duplicateMetadata_isRefused() throws IOException {
    headerRefused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "found it twice");
  }

  @Test
  void open_metadataNotAnObjectOfStrings_isRefused() throws IOException {
    headerRefused("{\"__metadata__\":[]}", 0, "object of strings, found an array");
    headerRefused("{\"__metadata__\":{\"a\":1}}", 0, "found a number as 'a'");
    headerRefused("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "found 'a' twice");
  }

  @Test
  void open_tensorNotAnObject_isRefused() throws IOException {
    tensorRefused("3", 0, "expected an object with dtype, shape and data_offsets, found a number");
  }

  @Test
  void open_tensorWithoutDtypeShapeOrOffsets_isRefused() throws IOException {
    tensorRefused("{\"shape\":[1],\"data_offsets\":[0,4]}", 4, "found no dtype");
    tensorRefused("{\"dtype\":\"F32\",\"data_offsets\":[0,4]}", 4, "found no shape");
    tensorRefused("{\"dtype\":\"F32\",\"shape\":[1]}", 4, "found no data_offsets");
  }

  @Test
  void open_tensorWithDtypeTwice_isRefused() throws IOException {
    tensorRefused(
        "{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}",
        4,
        "expected dtype once, found it twice");
  }

  @Test
  void open_unknownDtype_isRefused() throws IOException {
    tensorRefused(info("\"F33\"", "[1]", "[0,4]"), 4, "expected a dtype", "found 'F33'");
    tensorRefused(info("32", "[1]", "[0,4]"), 4, "found a number");
  }

  @Test
  void open_otherFloat8_saysWhatToUseInstead() throws IOException {
    tensorRefused(
        info("\"F8_E4M3FNUZ\"", "[4]", "[0,4]"),
        4,
        "found dtype F8_E4M3FNUZ, which is not supported",
        "use a file in BF16, or with 8-bit weights in F8_E4M3");
  }

  @Test
  void open_otherDtypeOfTheFormat_saysWhatToUseInstead() throws IOException {
    tensorRefused(
        info("\"C64\"", "[1]", "[0,8]"),
        8,
        "found dtype C64, which is not supported; use the BF16, F16 or F32 file");
  }

  @Test
  void open_badShape_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "4", "[0,4]"), 4, "expected shape to be an array", "a number");
    tensorRefused(info("\"F32\"", "[\"1\"]", "[0,4]"), 4, "whole numbers in shape, found a string");
    tensorRefused(info("\"F32\"", "[1.0]", "[0,4]"), 4, "whole numbers in shape, found 1.0");
  }

  @Test
  void open_negativeShape_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "[-1,-1]", "[0,4]"), 4, "no negative number in shape, found -1");
  }

  @Test
  void open_tooManyDimensions_isRefused() throws IOException {
    tensorRefused(
        info("\"F32\"", "[1" + ",1".repeat(64) + "]", "[0,4]"),
        4,
        "expected at most 64 numbers in shape, found more");
  }

  @Test
  void open_shapeProductOverflow_isRefused() throws IOException {
    tensorRefused(
        info("\"F32\"", "[4294967296,4294967296]", "[0,0]"),
        0,
        "expected a size that fits 64 bits");
    tensorRefused(
        info("\"F32\"", "[99999999999999999999]", "[0,0]"), 0, "numbers up to 2^63-1 in shape");
  }

  @Test
  void open_shapeAndByteRangeDisagree_isRefused() throws IOException {
    tensorRefused(
        info("\"BF16\"", "[2,3]", "[0,16]"),
        16,
        "expected 12 bytes for shape [2, 3] of BF16, found 16 bytes");
  }

  @Test
  void open_negativeOffset_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "[1]", "[-4,0]"), 4, "no negative number in data_offsets");
  }

  @Test
  void open_fractionalOffset_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "[1]", "[0,4.5]"), 4, "whole numbers in data_offsets, found 4.5");
    tensorRefused(info("\"F32\"", "[1]", "[0,4e0]"), 4, "whole numbers in data_offsets, found 4e0");
  }

  @Test
  void open_offsetBeyond64Bits_isRefused() throws IOException {
    tensorRefused(
        info("\"F32\"", "[1]", "[0,9223372036854775808]"),
        4,
        "numbers up to 2^63-1 in data_offsets");
  }

  @Test
  void open_notTwoOffsets_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "[1]", "[0]"), 4, "expected two data_offsets, found 1 of them");
    tensorRefused(info("\"F32\"", "[1]", "[0,4,8]"), 4, "at most 2 numbers in data_offsets");
  }

  @Test
  void open_offsetsDescending_isRefused() throws IOException {
    tensorRefused(info("\"F32\"", "[1]", "[4,0]"), 4, "in ascending order, found 4 to 0");
  }

  @Test
  void open_overlappingOffsets_isRefused() throws IOException {
    headerRefused(
        "{\"a\":%s,\"b\":%s}"
            .formatted(info("\"F32\"", "[2]", "[0,8]"), info("\"F32\"", "[1]", "[4,8]")),
        8,
        "tensor 'b': expected data of its own, found data shared with tensor 'a'");
  }

  @Test
  void open_holeBetweenTensors_isRefused() throws IOException {
    headerRefused(
        "{\"a\":%s,\"b\":%s}"
            .formatted(info("\"F32\"", "[1]", "[0,4]"), info("\"F32\"", "[1]", "[8,12]")),
        12,
        "tensor 'b': expected data starting at byte 4",
        "found byte 8, a hole");
  }

  @Test
  void open_dataShorterThanTheHeaderSays_isRefused() throws IOException {
    tensorRefused(
        info("\"F32\"", "[2]", "[0,8]"),
        7,
        "expected its data to end at byte 8 of the data section, found a section of 7 bytes",
        "truncated");
  }

  @Test
  void open_dataLongerThanTheHeaderSays_isRefused() throws IOException {
    headerRefused(
        "{\"a\":%s}".formatted(info("\"F32\"", "[1]", "[0,4]")),
        9,
        "the last 5 bytes belong to no tensor");
  }

  @Test
  void open_hostileName_isQuotedInTheMessage() throws IOException {
    headerRefused(
        "{\"\\u001b[31m%s\":3}".formatted("n".repeat(5000)),
        0,
        "'\\u001b[31mnnn",
        "5005 characters");
    assertThatThrownBy(() -> SafetensorsFile.open(file()).close())
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\u001b").hasSizeLessThan(1000));
  }
}
