package io.jitflow.flux.json;

import java.util.Locale;

/** Text from foreign files as messages show it: it cannot garble a terminal or flood a log. */
public final class Quoted {
  private static final int MAX_CHARACTERS = 160;

  private Quoted() {}

  /**
   * Shows a text between quotation marks.
   *
   * @param text any text
   * @return at most 160 of its characters, what is not printable as Java escapes
   */
  public static String of(String text) {
    return "'" + bare(text, MAX_CHARACTERS) + "'";
  }

  /**
   * Shows a text as it is.
   *
   * @param text any text
   * @param limit how many characters at most
   * @return at most that many of its characters, what is not printable as Java escapes
   */
  public static String bare(String text, int limit) {
    StringBuilder out = new StringBuilder();
    int shown = Math.min(text.length(), limit);
    for (int i = 0; i < shown; i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c) || isFormatting(c)) {
        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    if (shown < text.length()) {
      out.append("... (").append(text.length()).append(" characters)");
    }
    return out.toString();
  }

  private static boolean isFormatting(char c) {
    return switch (Character.getType(c)) {
      case Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      default -> false;
    };
  }
}
