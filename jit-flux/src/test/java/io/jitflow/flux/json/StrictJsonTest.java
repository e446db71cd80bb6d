package io.jitflow.flux.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {
  @TempDir Path folder;

  @Test
  void values_ofEveryType_exact() throws IOException {
    StrictJson json =
        parse(
            """
            {"text": "fox", "whole": 1024, "tenth": 0.1, "long": 9223372036854775807, "yes": true,
             "same": 1024.0, "list": [1, 2], "reals": [0.5, -0.0], "unit": "SECONDS",
             "inner": {"deep": [{"x": 1}]}}
            """);
    assertThat(json.string("text")).isEqualTo("fox");
    assertThat(json.integer("whole")).isEqualTo(1024);
    assertThat(json.integer("same")).isEqualTo(1024);
    assertThat(json.number("tenth")).isEqualTo(0.1);
    assertThat(json.longInteger("long")).isEqualTo(Long.MAX_VALUE);
    assertThat(json.flag("yes")).isTrue();
    assertThat(json.integers("list")).containsExactly(1, 2);
    assertThat(json.numbers("reals")).containsExactly(0.5, -0.0);
    assertThat(json.constant("unit", TimeUnit.class)).isEqualTo(TimeUnit.SECONDS);
    StrictJson deep = json.object("inner").objects("deep").get(0);
    assertThat(deep.integer("x")).isEqualTo(1);
    assertThat(deep.path()).isEqualTo("inner.deep[0]");
  }

  @Test
  void absentAndNull_takeTheDefault() throws IOException {
    StrictJson json = parse("{\"nothing\": null}");
    assertThat(json.has("nothing")).isFalse();
    assertThat(json.integer("nothing", 7)).isEqualTo(7);
    assertThat(json.number("missing", 0.5)).isEqualTo(0.5);
    assertThat(json.flag("missing", true)).isTrue();
    assertThat(json.optionalString("missing")).isEmpty();
    assertThat(json.constant("missing", TimeUnit.DAYS)).isEqualTo(TimeUnit.DAYS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1024.9",
        "4294968320",
        "-2147483649",
        "1e10",
        "1e999999999",
        "\"7\"",
        "true",
        "[]"
      })
  void integer_thatNoIntIs_refusedByPath(String value) throws IOException {
    StrictJson json = parse("{\"a\": {\"n\": " + value + "}}").object("a");
    assertFault(() -> json.integer("n"), "a.n: expected a whole number");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "9223372036854775808", "1e99999999999", "{}"})
  void longInteger_thatNoLongIs_refused(String value) throws IOException {
    StrictJson json = parse("{\"n\": " + value + "}");
    assertFault(() -> json.longInteger("n"), "n: expected a whole number");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e400", "-1e400", "1e-400", "\"1\"", "null"})
  void number_thatNoDoubleIs_refused(String value) throws IOException {
    StrictJson json = parse("{\"n\": " + value + "}");
    assertFault(() -> json.number("n"), "n: expected a number");
  }

  @Test
  void items_ofAnotherType_namedByIndex() throws IOException {
    StrictJson json = parse("{\"list\": [1, 2.5], \"objects\": [{}, 3]}");
    assertFault(() -> json.integers("list"), "list[1]: expected a whole number, found 2.5");
    assertFault(() -> json.objects("objects"), "objects[1]: expected an object, found 3");
    assertFault(() -> json.numbers("objects"), "objects[0]: expected a number");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "|expected JSON in UTF-8, found something else (line 1, column 1)",
        "{|expected JSON in UTF-8, found something else (line 1, column 2)",
        "[]|expected a JSON object, found a list",
        "3|expected a JSON object, found 3",
        "{a: 1}|line 1, column 3",
        "{'a': 1}|line 1, column 3",
        "{\"a\": NaN}|expected JSON in UTF-8, found something else",
        "{\"a\": 01}|expected JSON in UTF-8, found something else",
        "{\"a\": 1,}|expected JSON in UTF-8, found something else",
        "{\"a\": 1} // more|expected JSON in UTF-8, found something else",
        "{} {}|expected JSON in UTF-8, found something else",
        "{\"a\": {\"b\": 1, \"b\": 2}}|a.b: expected every name once",
        "{\"a\": [{}, {\"b\": 1, \"b\": 2}]}|a[1].b: expected every name once"
      })
  void parse_noStrictJsonObject_refused(String text, String problem) {
    assertFault(() -> parse(text == null ? "" : text), problem);
  }

  @Test
  void parse_deeperThanAnyStack_refused() {
    assertFault(
        () -> parse("{\"a\":" + "[".repeat(100_000)),
        "expected JSON in UTF-8, found something else");
  }

  @Test
  void read_otherBytesOrTooMany_refused() throws IOException {
    Path file = folder.resolve("a.json");
    Files.write(file, "{\"a\": \"\u00e4\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertFault(() -> StrictJson.read(file, 100, IOException::new), "expected JSON in UTF-8");
    assertFault(
        () -> StrictJson.read(file, 5, IOException::new),
        "expected at most 5 bytes of JSON, found 10 bytes");
  }

  @Test
  void unread_entriesNobodyAskedFor_namedWithTheirPath() throws IOException {
    StrictJson json = parse("{\"a\": 1, \"b\": {\"c\": 2, \"d\": 3}}");
    assertThat(json.unread()).hasValue("a");
    assertThat(json.integer("a")).isEqualTo(1);
    assertThat(json.unread()).hasValue("b");
    assertThat(json.object("b").integer("c")).isEqualTo(2);
    assertThat(json.unread()).hasValue("b.d");
  }

  @Test
  void faults_hostileText_shownShortAndPlain() {
    assertThatThrownBy(() -> parse("{\"n\": \"\\u001b[31m" + "x".repeat(1000) + "\"}").integer("n"))
        .hasMessageContaining("\\u001b[31mxxx")
        .hasMessageContaining("characters)")
        .message()
        .hasSizeLessThan(200);
  }

  private static StrictJson parse(String text) throws IOException {
    return StrictJson.parse(text, IOException::new);
  }

  private static void assertFault(ThrowingCallable reading, String problem) {
    assertThatThrownBy(reading).isInstanceOf(IOException.class).hasMessageContaining(problem);
  }
}
