package io.jitflow.flux.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One JSON object, read strictly: RFC 8259 without extensions, every name once, numbers exactly as
 * the caller's type or an error, and errors that name the path of the value.
 *
 * <p>Readers of a value take the {@code key} of its entry; those that also take {@code absent}
 * return it where there is none. An entry that is {@code null} counts as absent. What nobody asked
 * for is remembered, so that {@link #unread()} can tell of a file that says more than its reader
 * understands. Not thread-safe.
 */
public final class StrictJson {
  private static final int SHOWN_CHARACTERS = 80;

  private final String path;
  private final JsonObject object;
  private final JsonFaults faults;
  private final Set<String> asked = new HashSet<>();
  private final Map<String, StrictJson> children = new LinkedHashMap<>();

  private StrictJson(String path, JsonObject object, JsonFaults faults) {
    this.path = path;
    this.object = object;
    this.faults = faults;
  }

  /**
   * Reads a file.
   *
   * @param file a file of one JSON object in UTF-8
   * @param maxBytes the size above which it is not read
   * @param faults makes the exceptions
   * @return the object
   * @throws IOException as {@code faults} says, or if the file cannot be read
   */
  public static StrictJson read(Path file, long maxBytes, JsonFaults faults) throws IOException {
    long size = Files.size(file);
    if (size > maxBytes) {
      throw faults.unreadable(
          "expected at most " + maxBytes + " bytes of JSON, found " + size + " bytes", null);
    }
    String text;
    try {
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw faults.unreadable("expected JSON in UTF-8, found something else", e);
    }
    return parse(text, faults);
  }

  /**
   * Reads a text.
   *
   * @param text one JSON object
   * @return the object
   * @throws IOException as {@code faults} says
   */
  public static StrictJson parse(String text, JsonFaults faults) throws IOException {
    JsonElement element = tree(text, faults);
    if (!element.isJsonObject()) {
      throw faults.unreadable("expected a JSON object, found " + kind(element), null);
    }
    return new StrictJson("", element.getAsJsonObject(), faults);
  }

  /**
   * Reads a text of any kind, for those who look for something in it rather than read it.
   *
   * @param text one JSON value
   * @return the value; names are unique in each of its objects
   * @throws IOException as {@code faults} says
   */
  public static JsonElement tree(String text, JsonFaults faults) throws IOException {
    try (JsonStream stream = new JsonStream(new StringReader(text))) {
      JsonElement element = element(stream, "", faults);
      if (stream.next() != JsonStream.Part.END) {
        throw faults.unreadable("expected one JSON value, found more after it", null);
      }
      return element;
    } catch (JsonStream.Malformed e) {
      throw faults.unreadable(
          "expected JSON in UTF-8, found something else (" + e.place() + ")", e);
    }
  }

  /**
   * Whether there is a value.
   *
   * @return false if it is absent or null
   */
  public boolean has(String key) {
    return present(key) != null;
  }

  /** {@return the names of all entries, in their order} */
  public Set<String> keys() {
    return object.keySet();
  }

  /**
   * A text.
   *
   * @return its value
   * @throws IOException if it is absent or of another type
   */
  public String string(String key) throws IOException {
    JsonElement found = present(key);
    if (!(found instanceof JsonPrimitive primitive) || !primitive.isString()) {
      throw wrong(key, "a text", found);
    }
    return primitive.getAsString();
  }

  /**
   * A text that may be absent.
   *
   * @return its value, if there is one
   * @throws IOException if it is of another type
   */
  public Optional<String> optionalString(String key) throws IOException {
    return has(key) ? Optional.of(string(key)) : Optional.empty();
  }

  /**
   * A whole number of 32 bits.
   *
   * @return its value
   * @throws IOException if it is absent, of another type, has a fraction or is too large
   */
  public int integer(String key) throws IOException {
    return whole(key, present(key));
  }

  /**
   * A whole number of 32 bits that may be absent.
   *
   * @return its value
   * @throws IOException if it is of another type, has a fraction or is too large
   */
  public int integer(String key, int absent) throws IOException {
    return has(key) ? integer(key) : absent;
  }

  /**
   * A whole number of 64 bits.
   *
   * @return its value
   * @throws IOException if it is absent, of another type, has a fraction or is too large
   */
  public long longInteger(String key) throws IOException {
    JsonElement found = present(key);
    BigDecimal number = decimal(key, "a whole number", found);
    try {
      return number.longValueExact();
    } catch (ArithmeticException e) {
      throw wrong(key, wholeNumber(number, 64), found);
    }
  }

  /**
   * A finite number.
   *
   * @return its value, rounded to the nearest double
   * @throws IOException if it is absent, of another type, or beyond what a double can hold
   */
  public double number(String key) throws IOException {
    return real(key, present(key));
  }

  /**
   * A finite number that may be absent.
   *
   * @return its value, rounded to the nearest double
   * @throws IOException if it is of another type, or beyond what a double can hold
   */
  public double number(String key, double absent) throws IOException {
    return has(key) ? number(key) : absent;
  }

  /**
   * A truth value.
   *
   * @return its value
   * @throws IOException if it is absent or of another type
   */
  public boolean flag(String key) throws IOException {
    JsonElement found = present(key);
    if (!(found instanceof JsonPrimitive primitive) || !primitive.isBoolean()) {
      throw wrong(key, "true or false", found);
    }
    return primitive.getAsBoolean();
  }

  /**
   * A truth value that may be absent.
   *
   * @return its value
   * @throws IOException if it is of another type
   */
  public boolean flag(String key, boolean absent) throws IOException {
    return has(key) ? flag(key) : absent;
  }

  /**
   * The name of an enum constant.
   *
   * @param <E> the enum
   * @param type the enum
   * @return the constant
   * @throws IOException if it is absent, of another type or no constant's name
   */
  public <E extends Enum<E>> E constant(String key, Class<E> type) throws IOException {
    String name = string(key);
    for (E value : type.getEnumConstants()) {
      if (value.name().equals(name)) {
        return value;
      }
    }
    throw wrong(key, "one of " + Arrays.toString(type.getEnumConstants()), name);
  }

  /**
   * The name of an enum constant that may be absent.
   *
   * @return the constant
   * @throws IOException if it is of another type or no constant's name
   */
  public <E extends Enum<E>> E constant(String key, E absent) throws IOException {
    return has(key) ? constant(key, absent.getDeclaringClass()) : absent;
  }

  /**
   * An object.
   *
   * @return its value
   * @throws IOException if it is absent or of another type
   */
  public StrictJson object(String key) throws IOException {
    JsonElement found = present(key);
    if (!(found instanceof JsonObject value)) {
      throw wrong(key, "an object", found);
    }
    return child(at(key), value);
  }

  /**
   * A list of objects.
   *
   * @return its values
   * @throws IOException if it is absent or of another type
   */
  public List<StrictJson> objects(String key) throws IOException {
    JsonArray array = array(key);
    List<StrictJson> values = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      String item = item(key, i);
      if (!(array.get(i) instanceof JsonObject value)) {
        throw wrong(item, "an object", array.get(i));
      }
      values.add(child(at(item), value));
    }
    return List.copyOf(values);
  }

  /**
   * A list of whole numbers of 32 bits.
   *
   * @return its values
   * @throws IOException if it is absent, or a value is of another type, has a fraction or is too
   *     large
   */
  public List<Integer> integers(String key) throws IOException {
    JsonArray array = array(key);
    List<Integer> values = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      values.add(whole(item(key, i), array.get(i)));
    }
    return List.copyOf(values);
  }

  /**
   * A list of finite numbers.
   *
   * @return its values
   * @throws IOException if it is absent, or a value is of another type or beyond a double
   */
  public List<Double> numbers(String key) throws IOException {
    JsonArray array = array(key);
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      values.add(real(item(key, i), array.get(i)));
    }
    return List.copyOf(values);
  }

  /**
   * An entry that nobody asked for, here or in the objects that were taken from here. A reader that
   * passes over it would take the file for less than it says.
   *
   * @return its path, if there is one
   */
  public Optional<String> unread() {
    return unread(key -> true);
  }

  /**
   * As {@link #unread()}, of some of the entries.
   *
   * @param matters which names count
   * @return its path, if there is one
   */
  public Optional<String> unread(Predicate<String> matters) {
    for (String key : object.keySet()) {
      if (!asked.contains(key) && matters.test(key)) {
        return Optional.of(Quoted.bare(at(key), 2 * SHOWN_CHARACTERS));
      }
    }
    return children.values().stream()
        .map(child -> child.unread(matters))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /**
   * The exception for a value that has the right type but cannot be.
   *
   * @param expected what would be right
   * @param found what is there; null for nothing
   * @return the exception to throw
   */
  public IOException wrong(String key, String expected, @Nullable Object found) {
    String shown = found == null ? "nothing" : Quoted.bare(found.toString(), SHOWN_CHARACTERS);
    return faults.wrong(
        "%s: expected %s, found %s"
            .formatted(Quoted.bare(at(key), 2 * SHOWN_CHARACTERS), expected, shown));
  }

  /** {@return where this object is in its file, such as {@code networks.transformer}; may be ""} */
  public String path() {
    return path;
  }

  private @Nullable JsonElement present(String key) {
    asked.add(key);
    JsonElement element = object.get(key);
    return element == null || element.isJsonNull() ? null : element;
  }

  private StrictJson child(String childPath, JsonObject value) {
    return children.computeIfAbsent(childPath, at -> new StrictJson(at, value, faults));
  }

  private JsonArray array(String key) throws IOException {
    JsonElement found = present(key);
    if (!(found instanceof JsonArray array)) {
      throw wrong(key, "a list", found);
    }
    return array;
  }

  private int whole(String key, @Nullable JsonElement found) throws IOException {
    BigDecimal number = decimal(key, "a whole number", found);
    try {
      return number.intValueExact();
    } catch (ArithmeticException e) {
      throw wrong(key, wholeNumber(number, 32), found);
    }
  }

  private static String wholeNumber(BigDecimal found, int bits) {
    boolean hasFraction = found.stripTrailingZeros().scale() > 0;
    return hasFraction ? "a whole number" : "a whole number of " + bits + " bits";
  }

  private double real(String key, @Nullable JsonElement found) throws IOException {
    BigDecimal number = decimal(key, "a number", found);
    double value = Objects.requireNonNull(found).getAsDouble(); // BigDecimal has no -0
    if (Double.isInfinite(value) || (value == 0 && number.signum() != 0)) {
      throw wrong(key, "a number that a double can hold", found);
    }
    return value;
  }

  private BigDecimal decimal(String key, String expected, @Nullable JsonElement found)
      throws IOException {
    if (!(found instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
      throw wrong(key, expected, found);
    }
    try {
      return primitive.getAsBigDecimal();
    } catch (NumberFormatException e) { // exponents or digits beyond any use
      throw wrong(key, expected, found);
    }
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private static String item(String key, int index) {
    return key + "[" + index + "]";
  }

  /** A tree in which every name of an object stands once. */
  private static JsonElement element(JsonStream stream, String path, JsonFaults faults)
      throws IOException {
    JsonStream.Part part = stream.next();
    if (part == JsonStream.Part.LIST) {
      JsonArray array = new JsonArray();
      stream.beginList();
      while (stream.hasNext()) {
        array.add(element(stream, path + "[" + array.size() + "]", faults));
      }
      stream.endList();
      return array;
    }
    if (part != JsonStream.Part.OBJECT) {
      return stream.primitive();
    }
    JsonObject object = new JsonObject();
    stream.beginObject();
    while (stream.hasNext()) {
      String name = stream.name();
      String at = path.isEmpty() ? name : path + "." + name;
      if (object.has(name)) {
        throw faults.unreadable(
            Quoted.bare(at, SHOWN_CHARACTERS) + ": expected every name once, found it twice", null);
      }
      object.add(name, element(stream, at, faults));
    }
    stream.endObject();
    return object;
  }

  private static String kind(JsonElement element) {
    return element.isJsonArray() ? "a list" : Quoted.bare(element.toString(), SHOWN_CHARACTERS);
  }
}
