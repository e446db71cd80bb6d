package io.jitflow.core.testing;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A test with a manager for its arrays, which is closed after each method. */
public abstract class ArrayTest {
  private final Device device;

  /** Belongs to one test method. */
  protected NDManager manager;

  /** On the engine's usual device. */
  protected ArrayTest() {
    this(Engine.getInstance().defaultDevice());
  }

  /** On a device. */
  protected ArrayTest(Device device) {
    this.device = device;
  }

  @BeforeEach
  void openManager() {
    manager = NDManager.newBaseManager(device);
  }

  @AfterEach
  void closeManager() {
    manager.close();
  }
}
