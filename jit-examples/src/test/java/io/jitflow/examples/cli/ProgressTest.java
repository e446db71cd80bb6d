package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long START = 5 * SECOND;

  @Test
  void line_ofWhatLastsLongerThanASecond_comesThenAndEveryTen() {
    Progress.Task task = new Progress.Task("denoise", 50, 0, false, START);
    task.position = 10;
    assertThat(task.line(START + SECOND - 1)).isNull();
    assertThat(task.line(START + 3 * SECOND / 2))
        .isEqualTo("denoise 10/50, 1.5 s, about 6.0 s left");
    assertThat(task.line(START + 11 * SECOND)).isNull();
    task.position = 20;
    task.note = ", 64 tokens";
    assertThat(task.line(START + 12 * SECOND))
        .isEqualTo("denoise 20/50, 64 tokens, 12.0 s, about 18.0 s left");
  }

  @Test
  void line_ofWhatGoesOn_judgesTheTimeLeftByWhatIsNew() {
    Progress.Task task = new Progress.Task("prompts", 100, 90, false, START);
    assertThat(task.line(START + SECOND)).isEqualTo("prompts 90/100, 1.0 s");
    task.position = 91;
    assertThat(task.line(START + 11 * SECOND))
        .isEqualTo("prompts 91/100, 11.0 s, about 99.0 s left");
  }

  @Test
  void line_ofBytesAndOfWhatCannotBeCounted_saysWhatIsKnown() {
    Progress.Task bytes = new Progress.Task("verify transformer", 200, 0, true, START);
    bytes.position = 50;
    assertThat(bytes.line(START + 2 * SECOND))
        .isEqualTo("verify transformer 25 %, 2.0 s, about 6.0 s left");
    Progress.Task load = new Progress.Task("load transformer", 0, 0, false, START);
    assertThat(load.line(START + 2 * SECOND)).isEqualTo("load transformer, 2.0 s");
  }

  @Test
  void progress_withoutATerminal_tellsOfItsOwnAccord() throws InterruptedException {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (Progress progress = new Progress(false, new PrintStream(err, true))) {
      progress.steps("denoise", 50);
      progress.to(10);
      long end = System.nanoTime() + 60 * SECOND;
      while (err.size() == 0 && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("denoise");
  }
}
