package io.jitflow.flux.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonIOException;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One JSON text, part by part, by RFC 8259 without extensions. {@link StrictJson} is made of it;
 * what may be too large for a tree in memory is read from here: the headers of safetensors files,
 * up to 100 MB.
 *
 * <p>Every method throws {@link Malformed} where the text is not JSON, and {@link
 * java.nio.charset.CharacterCodingException} where its bytes are not UTF-8. Not thread-safe.
 */
public final class JsonStream implements AutoCloseable {
  private static final Pattern POSITION = Pattern.compile("line (\\d+) column (\\d+)");

  private final JsonReader reader;

  /**
   * Begins to read.
   *
   * @param utf8 the text; closed with this
   */
  public JsonStream(InputStream utf8) {
    this(
        new InputStreamReader(
            utf8,
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)));
  }

  JsonStream(Reader characters) {
    reader = new JsonReader(characters);
    reader.setStrictness(Strictness.STRICT);
  }

  /** A text that is not JSON. */
  public static final class Malformed extends IOException {
    private static final long serialVersionUID = 1L;

    private Malformed(Exception cause) {
      super(place(cause), cause);
    }

    /** The place in the parser's message; the rest of it is advice for programmers. */
    private static String place(Exception cause) {
      Matcher position = POSITION.matcher(String.valueOf(cause.getMessage()));
      if (position.find()) {
        return "line " + position.group(1) + ", column " + position.group(2);
      }
      return cause instanceof EOFException ? "it ends too early" : "too deeply nested";
    }

    /**
     * Says where.
     *
     * @return such as {@code line 1, column 7}, for a message
     */
    public String place() {
      return String.valueOf(getMessage());
    }
  }

  /** What comes next. */
  public enum Part {
    /** An object begins. */
    OBJECT("an object"),
    /** A list begins. */
    LIST("an array"),
    /** A text. */
    TEXT("a string"),
    /** A number. */
    NUMBER("a number"),
    /** True or false. */
    FLAG("true or false"),
    /** Null. */
    NULL("null"),
    /** The end of the text. */
    END("nothing"),
    /** The end of an object or list, or a name. */
    OTHER("something else");

    private final String words;

    Part(String words) {
      this.words = words;
    }

    /** {@return what it is, for a message} */
    @Override
    public String toString() {
      return words;
    }
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  private static <T> T checked(Reading<T> reading) throws IOException {
    try {
      return reading.read();
    } catch (MalformedJsonException | EOFException e) {
      throw new Malformed(e);
    }
  }

  private interface Step {
    void take() throws IOException;
  }

  private static void taken(Step step) throws IOException {
    checked(
        () -> {
          step.take();
          return true;
        });
  }

  /**
   * Looks what comes next.
   *
   * @return its kind
   * @throws IOException if the text cannot be read
   */
  public Part next() throws IOException {
    return switch (checked(reader::peek)) {
      case BEGIN_OBJECT -> Part.OBJECT;
      case BEGIN_ARRAY -> Part.LIST;
      case STRING -> Part.TEXT;
      case NUMBER -> Part.NUMBER;
      case BOOLEAN -> Part.FLAG;
      case NULL -> Part.NULL;
      case END_DOCUMENT -> Part.END;
      default -> Part.OTHER;
    };
  }

  /**
   * Enters an object.
   *
   * @throws IOException if the text cannot be read
   */
  public void beginObject() throws IOException {
    taken(reader::beginObject);
  }

  /**
   * Leaves an object.
   *
   * @throws IOException if the text cannot be read
   */
  public void endObject() throws IOException {
    taken(reader::endObject);
  }

  /**
   * Enters a list.
   *
   * @throws IOException if the text cannot be read
   */
  public void beginList() throws IOException {
    taken(reader::beginArray);
  }

  /**
   * Leaves a list.
   *
   * @throws IOException if the text cannot be read
   */
  public void endList() throws IOException {
    taken(reader::endArray);
  }

  /**
   * Whether the object or list goes on.
   *
   * @return true if another entry follows
   * @throws IOException if the text cannot be read
   */
  public boolean hasNext() throws IOException {
    return checked(reader::hasNext);
  }

  /**
   * Takes the name of an entry.
   *
   * @return the name
   * @throws IOException if the text cannot be read
   */
  public String name() throws IOException {
    return checked(reader::nextName);
  }

  /**
   * Takes a text, or a number as it is written: nothing is truncated or rounded.
   *
   * @return the text or literal
   * @throws IOException if the text cannot be read
   */
  public String text() throws IOException {
    return checked(reader::nextString);
  }

  /**
   * Passes over a value.
   *
   * @throws IOException if the text cannot be read
   */
  public void skip() throws IOException {
    taken(reader::skipValue);
  }

  /**
   * Whether nothing but spaces follows the value.
   *
   * @return false if more follows
   * @throws IOException if the text cannot be read
   */
  public boolean atEnd() throws IOException {
    try {
      return reader.peek() == JsonToken.END_DOCUMENT;
    } catch (MalformedJsonException e) {
      return false;
    }
  }

  /** Takes a text, number, truth value or null. */
  JsonElement primitive() throws IOException {
    try {
      return JsonParser.parseReader(reader);
    } catch (JsonIOException e) {
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
    } catch (JsonParseException e) {
      throw new Malformed(e);
    }
  }

  /**
   * Frees what the text is read from.
   *
   * @throws IOException if that fails
   */
  @Override
  public void close() throws IOException {
    reader.close();
  }
}
