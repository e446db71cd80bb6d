package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * A TorchScript module on its device.
 *
 * <p>libtorch runs {@code forward} of one module from several threads; what is not safe is DJL's
 * Predictor, so the block is called directly. Closing waits for calls in flight, because freeing a
 * module under a running call would crash the process.
 */
final class LoadedModule implements AutoCloseable {
  private static final String ADD_PRODUCT = "add_product";
  private static final String TO_FLOAT32 = "to_float32";
  private static final String COMPUTE_IN_FLOAT32 = "compute_in_float32";
  private static final String GRAPH_OPTIMIZER = "ai.djl.pytorch.graph_optimizer";

  private final String what;
  private final Model model;
  private final Device device;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private volatile boolean closed; // checked before the lock is taken, too

  private LoadedModule(String what, Model model, Device device) {
    this.what = what;
    this.model = model;
    this.device = device;
  }

  static LoadedModule load(String what, Path torchscript, Device device) throws IOException {
    return load(what, ModuleFile.of(torchscript), device);
  }

  static LoadedModule load(String what, ModuleFile source, Device device) throws IOException {
    Path torchscript = source.torchscript();
    if (!Files.isRegularFile(torchscript)) {
      throw new IOException(what + ": " + torchscript + " is not a file");
    }
    Path file = torchscript.toAbsolutePath();
    Device home = source.hostMemory() ? Device.cpu() : device;
    Model model = Model.newInstance(what, home, "PyTorch");
    LoadedModule loaded = null;
    try {
      model.load(file.getParent(), file.getFileName().toString(), Map.of("mapLocation", "true"));
      switch (source.weights()) {
        case MAPPED -> bind(model, source.mapped().orElseThrow(), source.offsets());
        case RANDOM -> randomise(model);
        case IN_FILE -> {}
      }
      loaded = new LoadedModule(what, model, device);
      return loaded;
    } catch (MalformedModelException | RuntimeException e) {
      throw failure(what, source.mapped().orElse(torchscript), e);
    } finally {
      if (loaded == null) {
        model.close();
      }
    }
  }

  /** What a failed load means: not every one is the file's fault. */
  static IOException failure(String what, Path weights, Exception e) throws IOException {
    if (e instanceof EngineException && EngineFailure.isOutOfMemory(e)) {
      throw new EngineException(
          String.format(
              Locale.ROOT,
              "out of memory while loading the %s from %s (%.1f GB)",
              what,
              weights,
              Files.size(weights) / 1e9),
          e);
    }
    if (e instanceof EngineException && EngineFailure.isOfDevice(e)) {
      throw new EngineException(
          "the device failed while loading the %s from %s".formatted(what, weights), e);
    }
    return new IOException(
        what + ": " + weights + " is not a TorchScript file that this engine can load", e);
  }

  /** Makes pages of a file the weights of a skeleton; they are unmapped with the last of these. */
  private static void bind(Model model, Path archive, List<Long> offsets) throws IOException {
    PtSymbolBlock block = (PtSymbolBlock) model.getBlock();
    try (IValue name = IValue.from(archive.toAbsolutePath().toString());
        IValue size = IValue.from(Files.size(archive));
        IValue begins = IValue.listFrom(offsets.stream().mapToLong(Long::longValue).toArray())) {
      IValueUtils.runMethod(block, "map", name, size, begins).close();
    }
  }

  private static void randomise(Model model) {
    try (NDManager manager = model.getNDManager().newSubManager();
        IValue like = IValue.from((PtNDArray) manager.zeros(new Shape(1)))) {
      IValueUtils.runMethod((PtSymbolBlock) model.getBlock(), "randomise", like).close();
    }
  }

  /** Where inputs and results are; weights may lie in host memory meanwhile. */
  Device device() {
    return device;
  }

  /** Whether the module's class has a method of this name. */
  boolean hasMethod(String name) {
    return Arrays.asList(JniUtils.getMethodNames((PtSymbolBlock) model.getBlock())).contains(name);
  }

  /**
   * Runs the module. The results belong to the manager of the first input.
   *
   * @throws IllegalStateException after close
   */
  NDList forward(NDArray... inputs) {
    lock.readLock().lock();
    List<NDArray> unnamed = new ArrayList<>();
    try {
      requireOpen();
      NDList list = new NDList(inputs.length);
      for (NDArray input : inputs) {
        list.add(withoutName(input, unnamed));
      }
      return withoutGraphOptimizer(
          () ->
              model
                  .getBlock()
                  .forward(new ParameterStore(model.getNDManager(), false), list, false));
    } finally {
      unnamed.forEach(NDArray::close);
      lock.readLock().unlock();
    }
  }

  /** Lets the module add the product of two factors to rows of one of its matrices, in place. */
  void addProduct(String tensor, long firstRow, NDArray up, NDArray down) {
    lock.writeLock().lock();
    try {
      requireOpen();
      if (!hasMethod(ADD_PRODUCT)) {
        throw new IllegalStateException(
            "the "
                + what
                + " cannot take adapters while it is loaded (its module has no method "
                + ADD_PRODUCT
                + "); convert the checkpoint again, or merge the adapters at conversion");
      }
      try (IValue name = IValue.from(tensor);
          IValue row = IValue.from(firstRow);
          IValue left = IValue.from((PtNDArray) up);
          IValue right = IValue.from((PtNDArray) down)) {
        PtSymbolBlock block = (PtSymbolBlock) model.getBlock();
        withoutGraphOptimizer(
                () -> IValueUtils.runMethod(block, ADD_PRODUCT, name, row, left, right))
            .close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Lets the module make float32 of its weights in place, one after the other.
   *
   * @return false if it has no method for that, and stays as it is
   */
  boolean toFloat32() {
    return convert(TO_FLOAT32);
  }

  /**
   * Lets the module compute in float32 with matrices as they are stored, widened where they are
   * used.
   *
   * @return false if it has no method for that, and stays as it is
   */
  boolean computeInFloat32() {
    return convert(COMPUTE_IN_FLOAT32);
  }

  private boolean convert(String method) {
    lock.writeLock().lock();
    try {
      requireOpen();
      if (!hasMethod(method)) {
        return false;
      }
      PtSymbolBlock block = (PtSymbolBlock) model.getBlock();
      withoutGraphOptimizer(() -> IValueUtils.runMethod(block, method)).close();
      return true;
    } catch (EngineException e) {
      throw EngineFailure.isOutOfMemory(e)
          ? new EngineException("out of memory while converting the " + what + " to float32", e)
          : e;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * TorchScript's profiling optimizer rewrites the program for every new shape, and JiT changes the
   * token count at every stage: it is off while a network runs, unless the user has decided. The
   * switch belongs to the thread, so other models of an application keep theirs.
   */
  private static <T> T withoutGraphOptimizer(Supplier<T> call) {
    if (System.getProperty(GRAPH_OPTIMIZER) != null) {
      return call.get(); // DJL sets the switch itself then
    }
    JniUtils.setGraphExecutorOptimize(false);
    try {
      return call.get();
    } finally {
      JniUtils.setGraphExecutorOptimize(true);
    }
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the " + what + " is closed");
    }
  }

  /** DJL reads array names as syntax ("a.b" makes a dictionary), so they must not get through. */
  private static NDArray withoutName(NDArray input, List<NDArray> views) {
    if (input.getName() == null) {
      return input;
    }
    NDArray view = input.reshape(input.getShape());
    views.add(view);
    return view;
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        model.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
