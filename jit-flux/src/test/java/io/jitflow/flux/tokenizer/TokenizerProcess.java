package io.jitflow.flux.tokenizer;

import io.jitflow.core.testing.ChildJvm;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Loads tokenizers in another process, one after the other, and encodes a text with each: native
 * code that does not survive a definition ends that process, and the caller is told.
 */
public final class TokenizerProcess {
  private static final Executor AFTER_A_MINUTE =
      CompletableFuture.delayedExecutor(60, TimeUnit.SECONDS);

  private static TokenizerProcess shared;
  private static final String TEXT =
      "a small red fox, \uff21\u00e9\ufb01\u2460 \u0130 in snow </s>";

  private final File log;
  private Process child;
  private DataOutputStream out;
  private DataInputStream in;

  private TokenizerProcess(File log) {
    this.log = log;
  }

  /** The one of all tests, which ends with them. */
  public static synchronized TokenizerProcess shared() throws IOException {
    if (shared == null) {
      shared = new TokenizerProcess(File.createTempFile("tokenizers", ".log"));
      shared.start();
      Runtime.getRuntime().addShutdownHook(new Thread(shared::stop));
    }
    return shared;
  }

  private void start() throws IOException {
    child =
        new ProcessBuilder(ChildJvm.command(TokenizerProcess.class, List.of("-Xmx512m"), List.of()))
            .redirectError(log)
            .start();
    out = new DataOutputStream(child.getOutputStream());
    in = new DataInputStream(child.getInputStream());
  }

  /**
   * Loads CLIP's or T5's tokenizer from a folder, first as far as Java looks, here.
   *
   * @throws IOException if it is refused
   * @throws AssertionError if something else is thrown, or the process ends or takes a minute
   */
  public void load(boolean clip, Path folder) throws IOException {
    Path definition = folder.resolve("tokenizer.json");
    if (Files.exists(definition)) {
      Optional<String> problem =
          NativeLimits.problem(TokenizerFolder.open(folder).text("tokenizer.json"));
      if (problem.isPresent()) {
        throw new IOException(problem.get());
      }
    }
    String answer;
    CompletableFuture<Void> limit =
        CompletableFuture.runAsync(child::destroyForcibly, AFTER_A_MINUTE);
    try {
      out.writeUTF((clip ? "clip " : "t5 ") + folder);
      out.flush();
      answer = in.readUTF();
    } catch (EOFException e) {
      String said = Files.readString(log.toPath());
      start();
      throw new AssertionError("the process ended, or was ended after a minute: " + said, e);
    } finally {
      limit.cancel(false);
    }
    if (answer.startsWith("refused ")) {
      throw new IOException(answer);
    }
    if (!answer.equals("used")) {
      throw new AssertionError(answer);
    }
  }

  private void stop() {
    child.destroyForcibly();
    log.delete();
  }

  /** The other process: reads folders, writes what came of them. */
  public static void main(String[] arguments) throws IOException {
    DataInputStream in = new DataInputStream(System.in);
    DataOutputStream out = new DataOutputStream(System.out);
    System.setOut(System.err);
    while (true) {
      String request;
      try {
        request = in.readUTF();
      } catch (EOFException e) {
        return;
      }
      int space = request.indexOf(' ');
      out.writeUTF(answer(request.startsWith("clip "), Path.of(request.substring(space + 1))));
      out.flush();
    }
  }

  private static String answer(boolean clip, Path folder) {
    try {
      if (clip) {
        try (ClipTokenizer tokenizer = ClipTokenizer.load(folder)) {
          tokenizer.ids(TEXT);
        }
      } else {
        try (T5Tokenizer tokenizer = T5Tokenizer.load(folder)) {
          tokenizer.ids(TEXT);
        }
      }
      return "used";
    } catch (IOException e) {
      return "refused " + e.getMessage().substring(0, Math.min(2000, e.getMessage().length()));
    } catch (RuntimeException | Error e) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      return trace.toString().substring(0, Math.min(8000, trace.toString().length()));
    }
  }
}
