package io.jitflow.flux.torchscript;

import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A module tree as a pickle, protocol 2, in the form in which PyTorch pickles script modules.
 *
 * <p>A module is an object of its class with a dictionary of attributes; a tensor is a call of
 * {@code torch._utils._rebuild_tensor_v2} over the persistent id of its storage, whose key numbers
 * the archive's {@code data/} entries.
 */
final class ModulePickle {
  private static final int PROTOCOL = 0x80;
  private static final int GLOBAL = 'c';
  private static final int EMPTY_TUPLE = ')';
  private static final int NEW_OBJECT = 0x81;
  private static final int EMPTY_DICT = '}';
  private static final int MARK = '(';
  private static final int SET_ITEMS = 'u';
  private static final int BUILD = 'b';
  private static final int REDUCE = 'R';
  private static final int TUPLE = 't';
  private static final int PERSISTENT_ID = 'Q';
  private static final int UNICODE = 'X';
  private static final int INT = 'J';
  private static final int LONG = 0x8a;
  private static final int FLOAT = 'G';
  private static final int TRUE = 0x88;
  private static final int FALSE = 0x89;
  private static final int STOP = '.';

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<TensorSource> tensors = new ArrayList<>();
  private final List<String> names = new ArrayList<>();

  private ModulePickle() {
    out.write(PROTOCOL);
    out.write(2);
  }

  static ModulePickle of(ScriptModule root) {
    ModulePickle pickle = new ModulePickle();
    pickle.module("", root);
    pickle.out.write(STOP);
    return pickle;
  }

  static byte[] emptyTuple() {
    return new byte[] {(byte) PROTOCOL, 2, EMPTY_TUPLE, STOP};
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /** The tensors in the order of their storage keys. */
  List<TensorSource> tensors() {
    return tensors;
  }

  /** Where each tensor stands in the tree. */
  List<String> names() {
    return names;
  }

  private void module(String path, ScriptModule module) {
    int dot = module.className().lastIndexOf('.');
    global(module.className().substring(0, dot), module.className().substring(dot + 1));
    out.write(EMPTY_TUPLE);
    out.write(NEW_OBJECT);
    out.write(EMPTY_DICT);
    out.write(MARK);
    for (Map.Entry<String, Object> attribute : module.attributes().entrySet()) {
      text(attribute.getKey());
      value(path + attribute.getKey(), attribute.getValue());
    }
    out.write(SET_ITEMS);
    out.write(BUILD);
  }

  private void value(String path, Object value) {
    if (value instanceof ScriptModule child) {
      module(path + ".", child);
    } else if (value instanceof TensorSource tensor) {
      tensor(path, tensor);
    } else if (value instanceof Long number) {
      integer(number);
    } else if (value instanceof Double number) {
      out.write(FLOAT);
      put(ByteBuffer.allocate(Double.BYTES).putDouble(number));
    } else if (value instanceof Boolean flag) {
      out.write(flag ? TRUE : FALSE);
    } else {
      text((String) value);
    }
  }

  private void tensor(String path, TensorSource tensor) {
    long[] shape = tensor.shape();
    long[] strides = new long[shape.length];
    long elements = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = elements;
      elements = Math.multiplyExact(elements, shape[i]);
    }
    if (tensor instanceof PlaceholderTensor) {
      Arrays.fill(strides, 0);
      elements = 1;
    }
    global("torch._utils", "_rebuild_tensor_v2");
    out.write(MARK);
    out.write(MARK);
    text("storage");
    global("torch", storageClass(tensor.dtype()));
    text(Integer.toString(tensors.size()));
    text("cpu");
    integer(elements);
    out.write(TUPLE);
    out.write(PERSISTENT_ID);
    integer(0);
    integers(shape);
    integers(strides);
    out.write(FALSE);
    global("collections", "OrderedDict");
    out.write(EMPTY_TUPLE);
    out.write(REDUCE);
    out.write(TUPLE);
    out.write(REDUCE);
    tensors.add(tensor);
    names.add(path);
  }

  private static String storageClass(DType dtype) {
    return switch (dtype) {
      case F64 -> "DoubleStorage";
      case F32 -> "FloatStorage";
      case F16 -> "HalfStorage";
      case BF16 -> "BFloat16Storage";
      case I64 -> "LongStorage";
      case I32 -> "IntStorage";
      case I16 -> "ShortStorage";
      case I8 -> "CharStorage";
      case U8 -> "ByteStorage";
      case BOOL -> "BoolStorage";
      case F8_E4M3, F8_E5M2 ->
          throw new IllegalArgumentException(dtype + " tensors are read only, not written");
    };
  }

  private void integers(long[] values) {
    out.write(MARK);
    for (long value : values) {
      integer(value);
    }
    out.write(TUPLE);
  }

  private void integer(long value) {
    if (value == (int) value) {
      out.write(INT);
      put(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt((int) value));
    } else {
      out.write(LONG);
      out.write(Long.BYTES);
      put(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value));
    }
  }

  private void text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    out.write(UNICODE);
    put(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(utf8.length));
    out.writeBytes(utf8);
  }

  private void global(String module, String name) {
    out.write(GLOBAL);
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void put(ByteBuffer value) {
    byte[] bytes = new byte[value.flip().remaining()];
    value.get(bytes);
    out.writeBytes(bytes);
  }
}
