package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecentlyUsedTest {
  private final List<String> freed = new ArrayList<>();
  private final RecentlyUsed<Integer, String> values =
      new RecentlyUsed<>(freed::add, kept -> String.join("", kept).length() <= 5);

  @Test
  void trim_moreThanMayBeKept_freesTheLeastRecentlyUsed() {
    values.put(1, "aa");
    values.put(2, "bb");
    values.put(3, "cc");
    assertThat(values.get(1)).isEqualTo("aa");
    values.trim();
    assertThat(freed).containsExactly("bb");
    assertThat(values.get(2)).isNull();
    assertThat(values.get(3)).isEqualTo("cc");
  }

  @Test
  void trim_valueThatMayNotBeKept_freesIt() {
    values.put(1, "aaaaaa");
    assertThat(values.get(1)).isEqualTo("aaaaaa");
    values.trim();
    assertThat(freed).containsExactly("aaaaaa");
  }

  @Test
  void put_knownKey_freesTheOldValue() {
    values.put(1, "a");
    values.put(1, "b");
    assertThat(freed).containsExactly("a");
    assertThat(values.get(1)).isEqualTo("b");
  }

  @Test
  void close_freesEverythingOnce() {
    values.put(1, "a");
    values.put(2, "b");
    values.close();
    values.close();
    assertThat(freed).containsExactly("a", "b");
    assertThat(values.get(1)).isNull();
  }
}
