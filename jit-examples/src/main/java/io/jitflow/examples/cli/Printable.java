package io.jitflow.examples.cli;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Locale;

/** Text from prompts and files, made fit for a terminal. */
final class Printable {

  private static final int LONGEST = 1000;

  private Printable() {}

  /**
   * Control characters written out, as they might steer the terminal; the middle of long text cut.
   */
  static String of(String text) {
    if (text.length() <= LONGEST) {
      return escaped(text);
    }
    int half = LONGEST / 2;
    return String.format(
        Locale.ROOT,
        "%s ... (%d characters) ... %s",
        escaped(text.substring(0, half)),
        text.length() - 2 * half,
        escaped(text.substring(text.length() - half)));
  }

  private static String escaped(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (steers(c)) {
                out.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  private static boolean steers(int c) {
    return (Character.isISOControl(c) && c != '\n' && c != '\r' && c != '\t')
        || Character.getType(c) == Character.FORMAT
        || Character.getType(c) == Character.SURROGATE;
  }

  /** A writer that writes the control characters of what it is given out, and flushes itself. */
  static PrintWriter writer(PrintWriter target) {
    return new PrintWriter(new Escaping(target), true);
  }

  private static final class Escaping extends FilterWriter {
    Escaping(Writer target) {
      super(target);
    }

    @Override
    public void write(int c) throws IOException {
      out.write(escaped(Character.toString(c)));
    }

    @Override
    public void write(char[] text, int offset, int length) throws IOException {
      out.write(escaped(new String(text, offset, length)));
    }

    @Override
    public void write(String text, int offset, int length) throws IOException {
      out.write(escaped(text.substring(offset, offset + length)));
    }
  }
}
