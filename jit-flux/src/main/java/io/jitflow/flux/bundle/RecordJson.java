package io.jitflow.flux.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.List;

/** Records of a manifest: numbers, booleans, strings and lists of integers, by their names. */
final class RecordJson {
  private RecordJson() {}

  /** The components of a record as an object; numbers, booleans, strings and lists of integers. */
  static JsonObject write(Record record) {
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

  /**
   * Reads all components of a record and passes them through its checks.
   *
   * @throws IOException if one is missing or of another type
   * @throws IllegalArgumentException if the record refuses them
   */
  static <R extends Record> R read(StrictJson json, Class<R> type) throws IOException {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      values[i] = component(json, components[i].getName(), types[i]);
    }
    try {
      return type.getConstructor(types).newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException cause) {
        throw new IllegalArgumentException(json.path() + ": " + cause.getMessage(), cause);
      }
      throw new IllegalStateException("cannot make " + type, e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make " + type, e);
    }
  }

  private static Object component(StrictJson json, String key, Class<?> type) throws IOException {
    if (type == int.class) {
      return json.integer(key);
    }
    if (type == double.class) {
      return json.number(key);
    }
    if (type == boolean.class) {
      return json.flag(key);
    }
    if (type == String.class) {
      return json.string(key);
    }
    return json.integers(key);
  }
}
