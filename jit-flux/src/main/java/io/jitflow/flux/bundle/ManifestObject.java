package io.jitflow.flux.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One JSON object of a manifest; its errors name the file and the entry's path. */
final class ManifestObject {
  private final Path file;
  private final String path;
  private final JsonObject object;

  ManifestObject(Path file, String path, JsonObject object) {
    this.file = file;
    this.path = path;
    this.object = object;
  }

  /** The components of a record as an object; numbers, booleans, strings and lists of integers. */
  static JsonObject of(Record record) {
    JsonObject object = new JsonObject();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      object.add(component.getName(), value(invoke(component, record)));
    }
    return object;
  }

  private static JsonElement value(Object value) {
    if (value instanceof List<?> list) {
      JsonArray array = new JsonArray();
      list.forEach(item -> array.add(value(item)));
      return array;
    }
    if (value instanceof Boolean flag) {
      return new JsonPrimitive(flag);
    }
    if (value instanceof Number number) {
      return new JsonPrimitive(number);
    }
    return new JsonPrimitive((String) value);
  }

  private static Object invoke(RecordComponent component, Record record) {
    try {
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  /** Reads all components of a record and passes them through its checks. */
  <R extends Record> R to(Class<R> type) throws BundleException {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      values[i] = component(components[i].getName(), types[i]);
    }
    try {
      return type.getConstructor(types).newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException cause) {
        throw new BundleException(
            file + ": " + path + ": " + cause.getMessage() + "; " + REPAIR, cause);
      }
      throw new IllegalStateException("cannot make " + type, e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make " + type, e);
    }
  }

  private Object component(String key, Class<?> type) throws BundleException {
    if (type == int.class) {
      return integer(key);
    }
    if (type == double.class) {
      return number(key);
    }
    if (type == boolean.class) {
      return flag(key);
    }
    if (type == String.class) {
      return string(key);
    }
    return integers(key);
  }

  static final String REPAIR = "the manifest is damaged, convert the checkpoint again";

  ManifestObject object(String key) throws BundleException {
    JsonElement element = object.get(key);
    if (element == null || !element.isJsonObject()) {
      throw wrong(key, "an object", element);
    }
    return new ManifestObject(file, at(key), element.getAsJsonObject());
  }

  List<ManifestObject> objects(String key) throws BundleException {
    JsonElement element = object.get(key);
    if (element == null || !element.isJsonArray()) {
      throw wrong(key, "an array", element);
    }
    List<ManifestObject> objects = new ArrayList<>();
    for (JsonElement item : element.getAsJsonArray()) {
      if (!item.isJsonObject()) {
        throw wrong(key, "an array of objects", item);
      }
      objects.add(new ManifestObject(file, at(key), item.getAsJsonObject()));
    }
    return objects;
  }

  boolean has(String key) {
    return object.has(key);
  }

  String string(String key) throws BundleException {
    JsonPrimitive primitive = primitive(key, "a string");
    if (!primitive.isString()) {
      throw wrong(key, "a string", primitive);
    }
    return primitive.getAsString();
  }

  int integer(String key) throws BundleException {
    return whole(key, primitive(key, "a whole number"));
  }

  long longInteger(String key) throws BundleException {
    JsonPrimitive primitive = primitive(key, "a whole number");
    try {
      if (primitive.isNumber()) {
        return primitive.getAsBigDecimal().longValueExact();
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw wrong(key, "a whole number", primitive);
    }
    throw wrong(key, "a whole number", primitive);
  }

  private int whole(String key, JsonElement element) throws BundleException {
    try {
      if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
        return element.getAsBigDecimal().intValueExact();
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw wrong(key, "a whole number", element);
    }
    throw wrong(key, "a whole number", element);
  }

  private double number(String key) throws BundleException {
    JsonPrimitive primitive = primitive(key, "a number");
    if (!primitive.isNumber()) {
      throw wrong(key, "a number", primitive);
    }
    return primitive.getAsDouble();
  }

  private boolean flag(String key) throws BundleException {
    JsonPrimitive primitive = primitive(key, "true or false");
    if (!primitive.isBoolean()) {
      throw wrong(key, "true or false", primitive);
    }
    return primitive.getAsBoolean();
  }

  private List<Integer> integers(String key) throws BundleException {
    JsonElement element = object.get(key);
    if (element == null || !element.isJsonArray()) {
      throw wrong(key, "an array of whole numbers", element);
    }
    List<Integer> values = new ArrayList<>();
    for (JsonElement item : element.getAsJsonArray()) {
      values.add(whole(key, item));
    }
    return values;
  }

  private JsonPrimitive primitive(String key, String expected) throws BundleException {
    JsonElement element = object.get(key);
    if (element == null || !element.isJsonPrimitive()) {
      throw wrong(key, expected, element);
    }
    return element.getAsJsonPrimitive();
  }

  BundleException wrong(String key, String expected, Object found) {
    String shown = found == null ? "nothing" : found.toString();
    return new BundleException(
        file
            + ": "
            + at(key)
            + ": expected "
            + expected
            + ", found "
            + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown)
            + "; "
            + REPAIR);
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
