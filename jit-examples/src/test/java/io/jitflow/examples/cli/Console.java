package io.jitflow.examples.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/**
 * What a command printed and returned.
 *
 * @param exitCode the exit code
 * @param out standard output
 * @param err standard error
 */
record Console(int exitCode, String out, String err) {

  /** The words of a command that draws a red fox. */
  static List<String> generate(Path bundle, String size, int steps, String png) {
    return List.of(
        "generate",
        "--model",
        bundle.toString(),
        "--prompt",
        "a red fox",
        "--size",
        size,
        "--steps",
        Integer.toString(steps),
        "-o",
        png);
  }

  static Console run(Object... args) {
    return run(new Interrupt(), args);
  }

  static Console run(Interrupt interrupt, Object... args) {
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] = args[i].toString();
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine(interrupt);
    commandLine.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int exitCode = commandLine.execute(words);
    return new Console(exitCode, out.toString(), err.toString());
  }
}
