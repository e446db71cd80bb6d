package io.jitflow.flux;

import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.check.Checks;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Several pipelines of one bundle behind one queue, for applications that serve many callers: one
 * pipeline per device, the oldest request first, at most a given number of them waiting.
 *
 * <p>Thread-safe. Listeners of requests are called on the pool's own threads, which are daemons.
 */
public final class FluxPool implements AutoCloseable {

  /** How many requests may wait unless told otherwise. */
  public static final int DEFAULT_QUEUE = 64;

  private static final AtomicInteger THREADS = new AtomicInteger();

  private final List<FluxPipeline> pipelines;
  private final Queue<FluxPipeline> idle;
  private final ThreadPoolExecutor workers;
  private final int queueLimit;

  /** One for every request that is drawn or waits. */
  private final Semaphore seats;

  private volatile boolean closed;

  private FluxPool(List<FluxPipeline> pipelines, int queueLimit) {
    this.pipelines = List.copyOf(pipelines);
    this.idle = new ConcurrentLinkedQueue<>(pipelines);
    this.queueLimit = queueLimit;
    this.seats =
        new Semaphore((int) Math.min(Integer.MAX_VALUE, (long) pipelines.size() + queueLimit));
    this.workers =
        new ThreadPoolExecutor(
            pipelines.size(),
            pipelines.size(),
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work -> new Worker(this, work));
  }

  /**
   * Loads a bundle onto one device, with a queue of {@value #DEFAULT_QUEUE}.
   *
   * @param bundle a folder that {@code FluxConverter} wrote
   * @param options device and memory
   * @return the pool
   * @throws IOException if the bundle is incomplete or damaged; nothing stays loaded then
   */
  public static FluxPool load(Path bundle, FluxOptions options) throws IOException {
    return load(bundle, List.of(options), DEFAULT_QUEUE);
  }

  /**
   * Loads a bundle once for each of several options.
   *
   * @param bundle a folder that {@code FluxConverter} wrote
   * @param options one for each pipeline, each with its own device, see {@link
   *     FluxOptions#onEveryGpu}
   * @param queueLimit how many requests may wait while every pipeline draws, 0 or more
   * @return the pool
   * @throws IOException if the bundle is incomplete or damaged; nothing stays loaded then
   */
  public static FluxPool load(Path bundle, List<FluxOptions> options, int queueLimit)
      throws IOException {
    Checks.argument(!options.isEmpty(), "a pool needs the options of at least one pipeline");
    Checks.argument(queueLimit >= 0, "queueLimit must be at least 0, got %d", queueLimit);
    List<FluxPipeline> loaded = new ArrayList<>();
    try {
      for (FluxOptions each : options) {
        // the files are the same for all
        loaded.add(
            FluxPipeline.load(
                bundle, loaded.isEmpty() ? each : each.withVerification(Verification.NONE)));
      }
      return new FluxPool(loaded, queueLimit);
    } catch (IOException | RuntimeException e) {
      loaded.forEach(FluxPipeline::close);
      throw e;
    }
  }

  /** {@return the folder of the bundle that was loaded} */
  public Path bundle() {
    return pipelines.get(0).bundle();
  }

  /** {@return the noise levels that this model's scheduler settings ask for} */
  public SigmaSchedule schedule() {
    return pipelines.get(0).schedule();
  }

  /** {@return the number of pipelines} */
  public int size() {
    return pipelines.size();
  }

  /** {@return how many requests are being drawn} */
  public int running() {
    return pipelines.size() - idle.size();
  }

  /** {@return how many requests wait} */
  public int waiting() {
    return workers.getQueue().size();
  }

  /** {@return whether the pool was closed} */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Generates the images of a request, after those that were asked for before.
   *
   * @param request what to draw
   * @return the images, the request with every default filled in, and the timings
   * @throws CancellationException if the request's listener cancels, the pool is closed meanwhile,
   *     or this thread is interrupted, whose interrupt status is then set
   * @throws RejectedExecutionException if the queue is full
   * @throws IllegalStateException if the pool is closed, or is called from a listener of its own
   */
  public GeneratedImages generate(ImageRequest request) {
    if (isOwnThread()) {
      throw new IllegalStateException(
          "generate was called from a listener of the same pool, which would wait for itself; use"
              + " generateAsync there");
    }
    CompletableFuture<GeneratedImages> answer = generateAsync(request);
    try {
      return answer.get();
    } catch (InterruptedException e) {
      answer.cancel(false);
      Thread.currentThread().interrupt();
      throw withCause(new CancellationException("interrupted while waiting for an image"), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      // generate of a pipeline declares no checked exception
      throw (RuntimeException) e.getCause();
    }
  }

  /**
   * Asks for the images of a request, without waiting.
   *
   * @param request what to draw
   * @return the answer. Cancelling it, or completing it in any other way such as {@code orTimeout},
   *     takes the request out of the queue or ends it within one step
   * @throws RejectedExecutionException if the queue is full
   * @throws IllegalStateException if the pool is closed
   */
  public CompletableFuture<GeneratedImages> generateAsync(ImageRequest request) {
    Objects.requireNonNull(request, "request");
    requireOpen();
    if (!seats.tryAcquire()) {
      throw new RejectedExecutionException(
          "the queue is full: %d images are being drawn and %d requests wait, of at most %d; ask again later, or load the pool with a longer queue"
              .formatted(running(), waiting(), queueLimit));
    }
    Drawing drawing = new Drawing(request);
    try {
      workers.execute(drawing);
    } catch (RejectedExecutionException e) {
      seats.release();
      requireOpen();
      throw e;
    }
    CompletableFuture<?> unused =
        drawing.answer.whenComplete((images, failure) -> drawing.leaveQueue());
    if (closed) {
      drawing.refuse(); // the queue may have been emptied before this one entered it
    }
    return drawing.answer;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the pool is closed");
    }
  }

  /**
   * Cancels what waits, ends what is drawn within one step, and frees everything. Further calls
   * have no effect. Returns when that is done; called from a listener, or from what follows an
   * answer on the pool's own threads, it does not wait for what is drawn.
   */
  @Override
  public void close() {
    closed = true;
    List<Runnable> waiting = new ArrayList<>();
    workers.getQueue().drainTo(waiting);
    workers.shutdown();
    waiting.forEach(work -> ((Drawing) work).refuse());
    List<RuntimeException> failures = new ArrayList<>();
    each(FluxPipeline::closeSoon, failures); // all at once, before any is waited for
    if (!isOwnThread()) {
      each(FluxPipeline::close, failures);
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.remove(0);
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Does something with all pipelines, whatever one of them throws. */
  private void each(Consumer<FluxPipeline> action, List<RuntimeException> failures) {
    for (FluxPipeline pipeline : pipelines) {
      try {
        action.accept(pipeline);
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }
  }

  /** Whether this thread draws for this pool, and must not wait for what others draw. */
  private boolean isOwnThread() {
    return Thread.currentThread() instanceof Worker worker && worker.pool == this;
  }

  private static CancellationException withCause(CancellationException e, Exception cause) {
    e.initCause(cause);
    return e;
  }

  /** One request on its way. */
  private final class Drawing implements Runnable {
    private final ImageRequest request;
    private final CompletableFuture<GeneratedImages> answer = new CompletableFuture<>();

    Drawing(ImageRequest request) {
      this.request = request;
    }

    @Override
    public void run() {
      GeneratedImages images = null;
      Throwable failure = null;
      try {
        if (!answer.isDone()) {
          images = draw();
        }
      } catch (RuntimeException | Error e) {
        failure = e; // also an Error is the caller's to know
      } finally {
        seats.release(); // before the answer, so that whoever gets it can ask again
      }
      if (failure == null) {
        answer.complete(images);
      } else {
        answer.completeExceptionally(failure);
      }
    }

    /** There are as many workers as pipelines, so one is idle. */
    private GeneratedImages draw() {
      FluxPipeline pipeline = idle.remove();
      try {
        return pipeline.generate(request, answer::isDone);
      } finally {
        idle.add(pipeline);
      }
    }

    /** Once the answer is there, from wherever it came. */
    void leaveQueue() {
      if (workers.remove(this)) {
        seats.release();
      }
    }

    void refuse() {
      answer.completeExceptionally(
          new CancellationException("the pool was closed before this request was drawn"));
    }
  }

  private static final class Worker extends Thread {
    private final FluxPool pool;

    Worker(FluxPool pool, Runnable work) {
      super(work, "flux-pool-" + THREADS.incrementAndGet());
      this.pool = pool;
      setDaemon(true);
    }
  }
}
