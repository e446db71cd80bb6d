package io.jitflow.flux;

import ai.djl.engine.EngineException;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.check.Checks;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.EngineFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Several pipelines of one bundle behind one queue, for applications that serve many callers: one
 * pipeline per device, the oldest request first, at most a given number of them waiting.
 *
 * <p>A pipeline whose engine fails, other than for want of memory, gets no request for a minute
 * while another one is there: a GPU after an error fails every request at once, and would draw the
 * whole queue to itself.
 *
 * <p>Thread-safe. Listeners of requests are called on the pool's own threads, which are daemons;
 * what follows an answer runs there too unless it has an executor of its own.
 */
public final class FluxPool implements AutoCloseable {

  /** How many requests may wait unless told otherwise. */
  public static final int DEFAULT_QUEUE = 64;

  private static final Duration REST = Duration.ofMinutes(1);
  private static final AtomicInteger THREADS = new AtomicInteger();

  private final List<FluxPipeline> pipelines;
  private final Queue<FluxPipeline> idle;
  private final ThreadPoolExecutor workers;
  private final int queueLimit;

  /** How long a pipeline whose engine failed gets no request. */
  private final Duration rest;

  /** One for every request that is drawn or waits. */
  private final Semaphore seats;

  private final AtomicInteger resting = new AtomicInteger();
  private final CountDownLatch closed = new CountDownLatch(1);

  /** How a pipeline is loaded. */
  @FunctionalInterface
  interface Loader {
    FluxPipeline load(FluxOptions options) throws IOException;
  }

  private FluxPool(List<FluxPipeline> pipelines, int queueLimit, Duration rest) {
    this.pipelines = List.copyOf(pipelines);
    this.idle = new ConcurrentLinkedQueue<>(pipelines);
    this.queueLimit = queueLimit;
    this.rest = rest;
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
   * @throws IllegalArgumentException if the options name a GPU that the engine does not find
   * @throws IllegalStateException as of {@link FluxPipeline#load(Path, FluxOptions,
   *     PipelineListener)}
   * @throws EngineException if the device fails, or its memory ends
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
   * @throws IOException if the bundle is incomplete or damaged; nothing stays loaded then, nor
   *     after any other failure
   * @throws IllegalArgumentException if there are no options, the limit is negative, or a GPU is
   *     named that the engine does not find
   * @throws IllegalStateException as of {@link FluxPipeline#load(Path, FluxOptions,
   *     PipelineListener)}
   * @throws EngineException if a device fails, or its memory ends
   */
  public static FluxPool load(Path bundle, List<FluxOptions> options, int queueLimit)
      throws IOException {
    return load(options, queueLimit, REST, each -> FluxPipeline.load(bundle, each));
  }

  static FluxPool load(List<FluxOptions> options, int queueLimit, Duration rest, Loader loader)
      throws IOException {
    Checks.argument(!options.isEmpty(), "a pool needs the options of at least one pipeline");
    Checks.argument(queueLimit >= 0, "queueLimit must be at least 0, got %d", queueLimit);
    List<FluxPipeline> loaded = new ArrayList<>();
    boolean complete = false;
    try {
      for (FluxOptions each : options) {
        // the files are the same for all
        loaded.add(loader.load(loaded.isEmpty() ? each : each.withVerification(Verification.NONE)));
      }
      FluxPool pool = new FluxPool(loaded, queueLimit, rest);
      complete = true;
      return pool;
    } finally {
      if (!complete) { // whatever was thrown, an Error too
        each(loaded, FluxPipeline::close);
      }
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
    return healthy() - idle.size();
  }

  /**
   * Returns how many pipelines take requests.
   *
   * @return all but those whose engine failed within the last minute; at least 1
   */
  public int healthy() {
    return pipelines.size() - resting.get();
  }

  /** {@return how many requests wait} */
  public int waiting() {
    return workers.getQueue().size();
  }

  /** {@return whether the pool was closed} */
  public boolean isClosed() {
    return closed.getCount() == 0;
  }

  /**
   * Checks that a request can be served, which takes no time. {@link #generate} and {@link
   * #generateAsync} do the same before it waits.
   *
   * @param request what to draw
   * @throws IllegalArgumentException if one of the pipelines, any of which may get the request,
   *     refuses it by {@link FluxPipeline#check(ImageRequest)}
   * @throws IllegalStateException as of that method
   * @throws UnsupportedOperationException as of that method
   * @throws java.io.UncheckedIOException as of that method
   */
  public void check(ImageRequest request) {
    pipelines.forEach(pipeline -> pipeline.check(request));
  }

  /**
   * Generates the images of a request, after those that were asked for before.
   *
   * @param request what to draw
   * @return the images, the request with every default filled in, and the timings
   * @throws CancellationException if the request's listener cancels, the pool is closed meanwhile,
   *     or this thread is interrupted, whose interrupt status is then set. A listener that cancels
   *     while its request waits is heard when the turn has come
   * @throws RejectedExecutionException if the queue is full
   * @throws IllegalArgumentException if {@link #check} refuses it
   * @throws UnsupportedOperationException if {@link #check} refuses the sampler
   * @throws IllegalStateException if the pool is closed, is called from a listener of its own, or
   *     as of {@link FluxPipeline#generate}
   * @throws io.jitflow.core.ModelOutputException if the transformer's values are not finite
   * @throws java.io.UncheckedIOException as of {@link FluxPipeline#generate}
   * @throws EngineException if the device fails, or its memory ends
   * @throws CompletionException if a listener throws a checked exception, which is its cause
   */
  public GeneratedImages generate(ImageRequest request) {
    if (isOwnThread()) {
      throw new IllegalStateException(
          "generate was called from a listener of the same pool, which would wait for itself; use"
              + " generateAsync there");
    }
    Drawing drawing = submit(request);
    try {
      return drawing.answer.get();
    } catch (InterruptedException e) {
      drawing.answer.cancel(false);
      Thread.currentThread().interrupt();
      throw withCause(new CancellationException("interrupted while waiting for an image"), e);
    } catch (ExecutionException e) {
      throw unchecked(Objects.requireNonNull(drawing.failure)); // whose cause e may have instead
    }
  }

  /** What was thrown, as it is if a method that declares nothing can throw it. */
  private static RuntimeException unchecked(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException e ? e : new CompletionException(thrown);
  }

  /**
   * Asks for the images of a request, without waiting.
   *
   * <p>What follows the answer without an executor of its own ({@code thenAccept}) runs on the
   * thread that drew it, which draws nothing meanwhile. Give one to what takes time ({@code
   * thenAcceptAsync}).
   *
   * @param request what to draw
   * @return the answer. Cancelling it, or completing it in any other way such as {@code orTimeout},
   *     takes the request out of the queue, or ends it before its next step or network. It fails
   *     with what {@link FluxPipeline#generate} throws
   * @throws RejectedExecutionException if the queue is full
   * @throws IllegalArgumentException if {@link #check} refuses it
   * @throws UnsupportedOperationException if {@link #check} refuses the sampler
   * @throws IllegalStateException if the pool is closed, or the request names a picture that has no
   *     pixels
   * @throws java.io.UncheckedIOException if the bundle has no encoder for a picture to start from,
   *     or for previews
   */
  public CompletableFuture<GeneratedImages> generateAsync(ImageRequest request) {
    return submit(request).answer;
  }

  private Drawing submit(ImageRequest request) {
    Objects.requireNonNull(request, "request");
    requireOpen();
    check(request);
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
    if (isClosed()) {
      drawing.refuse(); // the queue may have been emptied before this one entered it
    }
    return drawing;
  }

  private void requireOpen() {
    if (isClosed()) {
      throw new IllegalStateException("the pool is closed");
    }
  }

  /**
   * Cancels what waits, ends what is drawn before its next step or network, and frees everything.
   * Further calls have no effect. Returns when that is done; called from a listener, or from what
   * follows an answer on the pool's own threads, it does not wait for what is drawn.
   */
  @Override
  public void close() {
    closed.countDown();
    List<Runnable> waiting = new ArrayList<>();
    workers.getQueue().drainTo(waiting);
    workers.shutdown();
    waiting.forEach(work -> ((Drawing) work).refuse());
    // all at once, before any is waited for
    List<RuntimeException> failures = each(pipelines, FluxPipeline::closeSoon);
    if (!isOwnThread()) {
      failures.addAll(each(pipelines, FluxPipeline::close));
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.remove(0);
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  /** Does something with all pipelines, and returns what some of them threw. */
  private static List<RuntimeException> each(
      List<FluxPipeline> pipelines, Consumer<FluxPipeline> action) {
    List<RuntimeException> failures = new ArrayList<>();
    for (FluxPipeline pipeline : pipelines) {
      try {
        action.accept(pipeline);
      } catch (RuntimeException e) {
        failures.add(e);
      }
    }
    return failures;
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
    private @Nullable Throwable failure; // known before the answer is

    Drawing(ImageRequest request) {
      this.request = request;
    }

    @Override
    public void run() {
      FluxPipeline pipeline = idle.remove(); // there are as many workers as pipelines
      GeneratedImages images = null;
      Throwable thrown = null;
      try {
        if (!answer.isDone()) {
          images = pipeline.generate(request, answer::isDone);
        }
      } catch (Throwable e) { // whatever it is, the caller waits for it
        thrown = e;
      }
      boolean rests = isOfEngine(thrown) && mayRest();
      if (!rests) {
        idle.add(pipeline);
      }
      seats.release(); // before the answer, so that whoever gets it can ask again
      failure = thrown;
      if (thrown == null) {
        answer.complete(images);
      } else {
        answer.completeExceptionally(thrown);
      }
      if (rests) {
        rest(pipeline);
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

  /** Whether it may be a device that is broken, rather than the request or too little memory. */
  private static boolean isOfEngine(@Nullable Throwable thrown) {
    return thrown instanceof EngineException e && !EngineFailure.isOutOfMemory(e);
  }

  /** Whether another pipeline takes requests; one more rests then. */
  private boolean mayRest() {
    int others = pipelines.size() - 1;
    return resting.getAndUpdate(now -> Math.min(now + 1, others)) < others;
  }

  /** Keeps a pipeline, and the worker that has it, from the queue. */
  private void rest(FluxPipeline pipeline) {
    try {
      boolean unused = closed.await(rest.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      resting.decrementAndGet();
      idle.add(pipeline);
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
