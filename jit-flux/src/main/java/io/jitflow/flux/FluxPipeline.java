package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.PipelineListener.Activity;
import io.jitflow.flux.PipelineListener.Phase;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.SchedulerSettings;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.PreviewListener;
import io.jitflow.flux.image.SourceImage;
import io.jitflow.flux.network.ClipTextEncoder;
import io.jitflow.flux.network.LatentPacking;
import io.jitflow.flux.network.VaeTiling;
import io.jitflow.flux.tokenizer.ClipTokenizer;
import io.jitflow.flux.tokenizer.T5Tokenizer;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * FLUX.1 from prompt to image: tokenise, encode, noise, denoise, unpack, decode.
 *
 * <p>Any number of threads may share a pipeline; their calls are served one after the other, in the
 * order of their arrival, because one image keeps a device busy. Several pipelines may live at
 * once, each with its own networks.
 *
 * <p>A call ends early if its thread is interrupted, its listener cancels or another thread closes
 * the pipeline: before the next step, or before the next network is loaded or runs. What cannot be
 * interrupted is the loading of one network, one step, and the encoding or decoding of one picture.
 *
 * <p>The same request gives the same pixels, bit for bit, on the same machine, whatever else runs,
 * if the options name a memory policy. Under {@link MemoryPolicy#AUTO} the decoder's tile follows
 * from the memory that is free when the pipeline is loaded, see {@link #memoryPlan(ImageRequest)},
 * and another tile changes the pixels of images that are larger than it.
 *
 * <p>The initial noise of a seed is that of PyTorch's CPU generator in the layout {@code [1, 16,
 * height/8, width/8]}, as diffusers draws it; a JiT sampler's transition noise is the next draw of
 * the same generator.
 */
public final class FluxPipeline implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FluxPipeline.class);

  private final FluxBundle bundle;
  private final FluxOptions options;
  private final MemoryEstimate estimate;
  private final MemoryPlan memory;
  private final PipelineListener listener;
  private final NDManager manager;
  private final Adaptation adaptation;
  private final LoadedNetworks networks;
  private final ClipTokenizer clipTokenizer;
  private final T5Tokenizer t5Tokenizer;
  private final RecentlyUsed<PromptEmbedding.Key, PromptEmbedding> prompts;
  private final RecentlyUsed<Modulation.Key, Modulation> modulations;
  private final ReentrantLock turn = new ReentrantLock(true);
  private VaeTiling tiling; // of the request that has its turn
  private BooleanSupplier isGivenUp = () -> false; // of the same, by whoever waits for it
  private @Nullable LatentColours colours;
  private volatile boolean closing;
  private boolean freed;

  private FluxPipeline(
      FluxBundle bundle,
      FluxOptions options,
      MemoryEstimate estimate,
      MemoryPlan memory,
      ArithmeticChoice arithmetic,
      PipelineListener listener,
      NDManager manager,
      Adaptation adaptation,
      ClipTokenizer clipTokenizer,
      T5Tokenizer t5Tokenizer) {
    this.bundle = bundle;
    this.options = options;
    this.estimate = estimate;
    this.memory = memory;
    this.listener = listener;
    this.manager = manager;
    this.adaptation = adaptation;
    this.networks =
        new LoadedNetworks(
            bundle, manager.getDevice(), memory.policy(), arithmetic, adaptation, listener);
    this.clipTokenizer = clipTokenizer;
    this.t5Tokenizer = t5Tokenizer;
    int capacity = options.cachedPrompts();
    this.prompts = new RecentlyUsed<>(PromptEmbedding::close, kept -> kept.size() <= capacity);
    this.modulations =
        new RecentlyUsed<>(Modulation::close, kept -> Modulation.mayBeKept(kept, capacity));
    this.tiling = FluxOptions.decodeTiling(memory.decodeTilePx());
  }

  /**
   * Loads a bundle with the usual options.
   *
   * @param bundle a folder that {@code FluxConverter} wrote
   * @return the pipeline
   * @throws IOException if the bundle is incomplete or damaged; {@link #load(Path, FluxOptions,
   *     PipelineListener)} says what else is thrown
   */
  public static FluxPipeline load(Path bundle) throws IOException {
    return load(bundle, FluxOptions.defaults());
  }

  /**
   * Loads a bundle.
   *
   * @param bundle a folder that {@code FluxConverter} wrote
   * @param options device, memory, arithmetic and adapters
   * @return the pipeline
   * @throws IOException if the bundle is incomplete or damaged, or an adapter does not fit it;
   *     {@link #load(Path, FluxOptions, PipelineListener)} says what else is thrown
   */
  public static FluxPipeline load(Path bundle, FluxOptions options) throws IOException {
    return load(bundle, options, PipelineListener.NONE);
  }

  /**
   * Loads a bundle and tells what it is busy with, then and later.
   *
   * @param bundle a folder that {@code FluxConverter} wrote
   * @param options device, memory, arithmetic and adapters
   * @param listener told of each long phase of loading and of every request
   * @return the pipeline
   * @throws IOException if the bundle is incomplete or damaged, or an adapter does not fit it;
   *     nothing stays loaded then, nor after any other failure
   * @throws IllegalArgumentException if the options name a GPU that the engine does not find
   * @throws IllegalStateException if the class path has DJL in another version than this library's,
   *     or DJL is set up in a way that gives wrong results, or no memory policy fits the device, or
   *     adapters were given for weights that are streamed to it
   * @throws ai.djl.engine.EngineException if the device fails, or its memory ends
   */
  public static FluxPipeline load(Path bundle, FluxOptions options, PipelineListener listener)
      throws IOException {
    long start = System.nanoTime();
    EngineVersions.check();
    EngineSetup.check(options.check());
    FluxBundle description = FluxBundle.read(bundle);
    ClipTokenizer clip = null;
    T5Tokenizer t5 = null;
    NDManager manager = null;
    Adaptation adaptation = null;
    FluxPipeline pipeline = null;
    boolean complete = false;
    try {
      adaptation = Adaptation.open(description, options.adapters()); // wrong ones are told at once
      verify(description, options, listener);
      Device device = options.resolvedDevice();
      ArithmeticChoice arithmetic = ArithmeticChoice.of(options, description, device);
      MemoryEstimate estimate =
          new MemoryEstimate(
              description,
              arithmetic,
              device,
              !options.adapters().isEmpty(),
              options.cachedPrompts());
      MemoryPlan memory = plan(options, description, estimate, device);
      adaptation.check(memory.policy(), device);
      clip = ClipTokenizer.load(description.clipTokenizer(), description.clipTokens());
      t5 = T5Tokenizer.load(description.t5Tokenizer(), description.t5Tokens());
      manager = NDManager.newBaseManager(device, "PyTorch");
      pipeline =
          new FluxPipeline(
              description,
              options,
              estimate,
              memory,
              arithmetic,
              listener,
              manager,
              adaptation,
              clip,
              t5);
      pipeline.networks.preload();
      LOG.info(
          "loaded {} in {} s: {}, {}, {}; {}",
          bundle,
          String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) / 1e9),
          EngineSetup.describe(device),
          memory,
          arithmetic,
          sizes(description));
      complete = true;
      return pipeline;
    } finally {
      if (!complete) { // whatever was thrown, an Error too
        if (pipeline != null) {
          pipeline.close();
        } else {
          close(manager, adaptation, t5, clip);
        }
      }
    }
  }

  private static MemoryPlan plan(
      FluxOptions options, FluxBundle bundle, MemoryEstimate estimate, Device device) {
    try {
      return MemoryPlan.of(
          options,
          estimate,
          MemoryEstimate.Size.usual(bundle),
          MemoryPlan.freeBytes(device, options.memory()));
    } catch (IllegalStateException e) {
      throw new IllegalStateException(bundle.folder() + ": " + e.getMessage(), e);
    }
  }

  private static void verify(FluxBundle bundle, FluxOptions options, PipelineListener listener)
      throws IOException {
    boolean recorded =
        bundle.verify(
            options.verification(),
            (name, done, total) ->
                listener.onActivity(new Activity(Phase.VERIFY, name, done, total)));
    if (!recorded) {
      LOG.warn(
          "{} was made by an earlier version, which recorded no hashes of its files: damage would"
              + " not be noticed; convert the checkpoint again",
          bundle.folder());
    }
  }

  private static String sizes(FluxBundle bundle) throws IOException {
    List<String> sizes = new ArrayList<>();
    for (FluxNetwork network : FluxNetwork.values()) {
      sizes.add(
          String.format(
              Locale.ROOT, "%s %.1f MB", network.key(), Files.size(bundle.file(network)) / 1e6));
    }
    return String.join(", ", sizes);
  }

  /**
   * Returns what was loaded.
   *
   * @return the bundle's folder
   */
  public Path bundle() {
    return bundle.folder();
  }

  /**
   * Returns how the pipeline uses the machine.
   *
   * @return the options it was loaded with
   */
  public FluxOptions options() {
    return options;
  }

  /**
   * Returns the standard sampler of this model: Euler steps over the model's own schedule, 50 of
   * them, or 4 for a model without dynamic shifting (schnell).
   *
   * @return the sampler that is used if a request names none
   */
  public EulerSampler standardSampler() {
    return standardSampler(bundle);
  }

  static EulerSampler standardSampler(FluxBundle bundle) {
    SchedulerSettings scheduler = bundle.scheduler();
    return new EulerSampler(scheduler.schedule(), scheduler.useDynamicShifting() ? 50 : 4);
  }

  /**
   * Returns how the memory of the device is divided for images up to 1024 x 1024 px with the
   * bundle's number of text tokens, in at most 64 steps, or 32 with a negative prompt or in two
   * passes. If the options leave the policy open, one that needs more is planned when it is drawn,
   * from what was free when the pipeline was loaded.
   *
   * @return the policy, chosen if the options left it open, and what the others would need
   */
  public MemoryPlan memoryPlan() {
    return memory;
  }

  /**
   * Returns the noise levels that this model's scheduler settings ask for.
   *
   * @return the schedule
   */
  public SigmaSchedule schedule() {
    return bundle.scheduler().schedule();
  }

  /**
   * Checks that a request can be served, which takes no time, before a pipeline is loaded.
   *
   * @param bundle the model's folder
   * @param options how it will be loaded
   * @param request what to draw
   * @throws IllegalArgumentException if the sampler cannot serve the size, a strength leaves it too
   *     few steps, the images need more memory than the machine has, or the options name a GPU that
   *     the engine does not find
   * @throws IllegalStateException if it names a picture that has no pixels, as one read from a file
   * @throws UnsupportedOperationException if it starts from a picture, or has a second pass, and
   *     its sampler starts from noise only
   * @throws IOException if the bundle's manifest cannot be read, or the bundle has no encoder for a
   *     picture to start from, or for previews
   */
  public static void check(Path bundle, FluxOptions options, ImageRequest request)
      throws IOException {
    check(FluxBundle.read(bundle), options.check(), request);
  }

  /**
   * Checks that this pipeline can serve a request, which takes no time. {@link #generate} does the
   * same before it waits for its turn.
   *
   * @param request what to draw
   * @throws IllegalArgumentException if the sampler cannot serve the size, a strength leaves it too
   *     few steps, the images need more memory than the machine has, or no memory policy fits them
   * @throws IllegalStateException if it names a picture that has no pixels, as one read from a file
   * @throws UnsupportedOperationException if it starts from a picture, or has a second pass, and
   *     its sampler starts from noise only
   * @throws UncheckedIOException if the bundle has no encoder for a picture to start from, or for
   *     previews
   */
  public void check(ImageRequest request) {
    try {
      check(bundle, options, request);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    memoryPlan(request); // refuses what no policy fits
  }

  private static void check(FluxBundle bundle, FluxOptions options, ImageRequest request)
      throws IOException {
    Sampler sampler = request.sampler().orElseGet(() -> standardSampler(bundle));
    sampler.check(request.grid());
    if (request.secondPass().isPresent()) {
      sampler.check(request.firstPass().grid());
    }
    Editing.check(request.withSampler(sampler), bundle.scheduler().schedule());
    if (request.start().isPresent()
        || request.secondPass().isPresent()
        || request.listener().stream().flatMap(FluxPipeline::previews).findAny().isPresent()) {
      bundle.requireVaeEncoder();
    }
    requireRoom(
        bundle,
        options,
        request,
        options.resolvedDevice().isGpu() ? Long.MAX_VALUE : ArithmeticChoice.machineMemory(),
        Runtime.getRuntime().maxMemory());
  }

  /** Refuses what not even streamed weights leave room for. */
  static void requireRoom(
      FluxBundle bundle,
      FluxOptions options,
      ImageRequest request,
      long machineBytes,
      long heapLimit) {
    MemoryEstimate.Size size = MemoryEstimate.Size.of(bundle, request);
    int count = request.count();
    String images =
        count == 1 ? "an image of " + size + " takes" : count + " images of " + size + " take";
    String advice = count == 1 ? "make it smaller" : "draw fewer at a time";
    long heap = MemoryEstimate.heap(size, count);
    Checks.argument(
        heap <= heapLimit,
        "%s %.1f GB of Java's heap, which may grow to %.1f GB; start with java -Xmx%.0fg, or %s",
        images,
        heap / 1e9,
        heapLimit / 1e9,
        Math.ceil(2.0 * heap / (1 << 30)),
        advice);
    long needed = heap - MemoryEstimate.heap(size, 1); // the pictures that are made already
    try {
      needed +=
          new MemoryEstimate(bundle, ArithmeticChoice.widest(bundle), Device.cpu(), false, 0)
              .bytes(MemoryPolicy.STREAMED, size, MemoryPlan.smallestTilePx(options));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Checks.argument(
        needed <= machineBytes,
        "%s about %.1f GB of memory beside the networks' weights, this machine has %.1f GB; %s",
        images,
        needed / 1e9,
        machineBytes / 1e9,
        advice);
  }

  /**
   * Returns how the memory of the device is divided while an image of a request's size is drawn. If
   * the options leave the policy open, one that needs more than {@link #memoryPlan()} is for is
   * planned anew, from what was free when the pipeline was loaded.
   *
   * @param request what will be drawn
   * @return the policy, and what each needs for this size
   * @throws IllegalArgumentException if no policy fits
   */
  public MemoryPlan memoryPlan(ImageRequest request) {
    MemoryEstimate.Size size = MemoryEstimate.Size.of(bundle, request);
    FluxOptions planned = options;
    if (size.fitsIn(MemoryEstimate.Size.usual(bundle))) {
      planned = options.withMemory(memory.policy()).withDecodeTilePx(memory.decodeTilePx());
    }
    try {
      return MemoryPlan.of(planned, estimate, size, memory.freeBytes());
    } catch (IllegalStateException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * Generates the images of a request.
   *
   * @param request what to draw
   * @return the images, the request with every default filled in, and the timings
   * @throws CancellationException if the request's listener cancels, the pipeline is closed or this
   *     thread is interrupted meanwhile, while it draws or waits (where the listener is not asked);
   *     everything that the call made is freed, and the interrupt status stays set
   * @throws IllegalArgumentException if {@link #check(ImageRequest)} refuses it
   * @throws IllegalStateException if the pipeline is closed, is called from its own listener, the
   *     request names a picture that has no pixels, a module returns what it must not, or a text
   *     encoder or the decoder gives values that are not finite
   * @throws io.jitflow.core.ModelOutputException if the transformer's values are not finite
   * @throws UnsupportedOperationException if {@link #check(ImageRequest)} refuses the sampler
   * @throws UncheckedIOException if the bundle has no encoder for a picture to start from or for
   *     previews, or a network cannot be read: that encoder with any memory policy, the others
   *     unless it is {@link MemoryPolicy#RESIDENT}
   * @throws ai.djl.engine.EngineException if the device fails, or its memory ends
   */
  public GeneratedImages generate(ImageRequest request) {
    Objects.requireNonNull(request, "request");
    if (turn.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "generate was called from a listener of the same pipeline; call it after the first call"
              + " has returned");
    }
    if (closing) {
      throw new IllegalStateException("the pipeline is closed");
    }
    check(request);
    return generate(request, () -> false);
  }

  /**
   * The same for a caller that has checked the request and may give up without a listener; closing
   * the pipeline cancels it from the start.
   *
   * @param givenUp asked whenever the listener is
   */
  GeneratedImages generate(ImageRequest request, BooleanSupplier givenUp) {
    takeTurn();
    SamplingListener own = request.listener().orElse(SamplingListener.none());
    isGivenUp = () -> givenUp.getAsBoolean() || own.isCancelled();
    try (NDManager scratch = openScratch()) {
      ImageRequest complete = complete(request);
      return complete.secondPass().isPresent()
          ? generateTwice(complete, scratch)
          : generate(complete, scratch);
    } catch (CancellationException | UncheckedIOException e) {
      throw failure(e);
    } catch (IOException e) {
      throw failure(new UncheckedIOException(e));
    } finally {
      isGivenUp = () -> false;
      endTurn();
    }
  }

  /** A file that is read while its thread is interrupted fails: that is no fault of the file. */
  private RuntimeException failure(RuntimeException thrown) {
    CancellationException cancelled;
    if (closing) {
      cancelled = new CancellationException("the pipeline was closed while it was generating");
    } else if (Thread.currentThread().isInterrupted()) {
      cancelled = new CancellationException("interrupted while generating");
    } else {
      return thrown;
    }
    if (thrown instanceof UncheckedIOException) {
      cancelled.initCause(thrown);
    }
    return cancelled;
  }

  /** Owns everything that outlives a call: the cached embeddings. For leak tests. */
  NDManager manager() {
    return manager;
  }

  /** What is loaded now. For tests of memory policies. */
  Set<FluxNetwork> networksInMemory() {
    return networks.inMemory();
  }

  /** Whether close was called. */
  boolean isClosing() {
    return closing;
  }

  /** Waits for earlier callers. */
  private void takeTurn() {
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException("interrupted while other requests were served");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  /** Lets the next caller in; the last one frees everything if the pipeline is closing. */
  private void endTurn() {
    try {
      if (closing) {
        free();
      } else {
        networks.trim();
        prompts.trim();
        modulations.trim();
      }
    } finally {
      turn.unlock();
    }
    if (closing) {
      closeSoon(); // whoever began to close after the first look may have found the turn taken
    }
  }

  private NDManager openScratch() {
    endIfCancelled(); // since the caller began to wait; the manager may be closed then
    return manager.newSubManager();
  }

  /** Ends the call that has its turn if nobody waits for it any more. */
  private void endIfCancelled() {
    if (isCancelled()) {
      throw new CancellationException("the request was cancelled");
    }
  }

  private boolean isCancelled() {
    return closing || Thread.currentThread().isInterrupted() || isGivenUp.getAsBoolean();
  }

  /** Draws small, enlarges, draws again from that. */
  private GeneratedImages generateTwice(ImageRequest request, NDManager scratch)
      throws IOException {
    GeneratedImages first = generate(request.firstPass(), scratch);
    List<Image> images = new ArrayList<>();
    PhaseTimings timings = first.timings();
    for (int i = 0; i < request.count(); i++) {
      SourceImage enlarged =
          Editing.enlarged(first.bufferedImage(i), request.widthPx(), request.heightPx());
      try (NDManager owner = scratch.newSubManager()) {
        GeneratedImages second = generate(request.single(i).secondPass(enlarged), owner);
        images.addAll(second.images());
        timings =
            new PhaseTimings(
                timings.tokenise().plus(second.timings().tokenise()),
                timings.encode().plus(second.timings().encode()),
                timings.noise().plus(second.timings().noise()),
                timings.denoise().plus(second.timings().denoise()),
                timings.decode().plus(second.timings().decode()));
      }
    }
    return new GeneratedImages(images, request, modelName(), timings, first.remarks());
  }

  private GeneratedImages generate(ImageRequest request, NDManager scratch) throws IOException {
    MemoryPlan plan = memoryPlan(request);
    networks.use(plan.policy());
    tiling = FluxOptions.decodeTiling(plan.decodeTilePx());
    Stopwatch encode = new Stopwatch();
    encode.start();
    Optional<NDArray> picture = encode(request, scratch);
    encode.stop();
    if (Editing.takesNoStep(request)) {
      return unchanged(request, picture.orElseThrow(), encode);
    }
    Sampler sampler = Editing.sampler(request, schedule());
    // 1. tokenise and 2. encode the prompts
    TextEncoding text = new TextEncoding(encode);
    PromptEmbedding prompt = text.encode(request.prompt(), request);
    Optional<PromptEmbedding> negative = Optional.empty();
    if (request.negativePrompt().isPresent()) {
      negative = Optional.of(text.encode(request.negativePrompt().get(), request));
    }
    Stopwatch noise = new Stopwatch();
    Stopwatch denoise = new Stopwatch();
    denoise.start();
    FluxVelocity model = velocity(request.withSampler(sampler), prompt, negative);
    denoise.stop();
    Stopwatch decode = new Stopwatch();
    List<Image> images = new ArrayList<>();
    for (int i = 0; i < request.count(); i++) {
      try (NDManager owner = scratch.newSubManager()) {
        // 3. draw the noise
        noise.start();
        SamplingRequest sampling = noise(request.single(i), owner).withListener(listening(request));
        if (picture.isPresent()) {
          sampling = Editing.known(sampling, picture.get(), request, sampler);
        }
        noise.stop();
        // 4. denoise
        denoise.start();
        begin(Phase.DENOISE, i, sampler.steps());
        NDArray latents = sampler.sample(Editing.model(model, sampling, request), sampling);
        denoise.stop();
        // 5. unpack, 6. decode, 7. pixels
        decode.start();
        begin(Phase.DECODE, i, 0);
        images.add(decode(latents, request));
        decode.stop();
      }
    }
    PhaseTimings timings =
        new PhaseTimings(
            text.tokenise.total(), encode.total(), noise.total(), denoise.total(), decode.total());
    return new GeneratedImages(images, request, modelName(), timings, text.remarks);
  }

  /** Evaluates the modulation of all noise levels, then makes room for the transformer. */
  private FluxVelocity velocity(
      ImageRequest request, PromptEmbedding prompt, Optional<PromptEmbedding> negative)
      throws IOException {
    double[] sigmas = request.sampler().orElseThrow().sigmas(request.grid());
    FluxVelocity.Branch wanted = branch(request.prompt(), prompt, sigmas, request);
    Optional<FluxVelocity.Branch> unwanted = Optional.empty();
    if (negative.isPresent()) {
      String text = request.negativePrompt().orElseThrow();
      unwanted = Optional.of(branch(text, negative.get(), sigmas, request));
    }
    endIfCancelled();
    return new FluxVelocity(
        networks,
        networks.transformer(),
        wanted,
        unwanted,
        request.trueCfgScale(),
        request.guidance());
  }

  private FluxVelocity.Branch branch(
      String text, PromptEmbedding embedding, double[] sigmas, ImageRequest request)
      throws IOException {
    if (!networks.modulatesApart()) {
      return new FluxVelocity.Branch(embedding, Optional.empty());
    }
    Modulation.Key key =
        new Modulation.Key(text, request.guidance(), DoubleStream.of(sigmas).boxed().toList());
    Modulation modulation = modulations.get(key);
    if (modulation == null) {
      modulation = evaluate(embedding, sigmas, request.guidance());
      modulations.put(key, modulation);
    }
    return new FluxVelocity.Branch(embedding, Optional.of(modulation));
  }

  /** Evaluates the noise levels that a sampler announces; a failure leaves nothing behind. */
  private Modulation evaluate(PromptEmbedding embedding, double[] sigmas, double guidance)
      throws IOException {
    Modulation modulation = new Modulation(manager);
    boolean complete = false;
    try {
      if (sigmas.length > 0) {
        endIfCancelled();
        modulation.add(networks.modulationAlone(), embedding, sigmas, guidance);
      }
      complete = true;
      return modulation;
    } finally {
      if (!complete) {
        modulation.close();
      }
    }
  }

  private void begin(Phase phase, int image, long total) {
    endIfCancelled();
    listener.onActivity(new Activity(phase, Integer.toString(image + 1), 0, total));
  }

  /** Fills in what the request leaves open. */
  private ImageRequest complete(ImageRequest request) {
    ImageRequest complete = request;
    if (complete.seed().isEmpty()) {
      complete = complete.withSeed(ThreadLocalRandom.current().nextLong(1L << 32));
    }
    if (complete.textTokens().isEmpty()) {
      complete = complete.withTextTokens(bundle.t5Tokens());
    }
    if (complete.sampler().isEmpty()) {
      Sampler standard = standardSampler();
      complete = complete.withSampler(standard);
    }
    return complete;
  }

  private SamplingRequest noise(ImageRequest request, NDManager owner) {
    TokenGrid grid = request.grid();
    Shape latents =
        new Shape(1, bundle.vaeDecoder().latentChannels(), 2L * grid.rows(), 2L * grid.cols());
    TorchNoise generator = new TorchNoise(request.seed().orElseThrow());
    NDArray initial = LatentPacking.pack(generator.draw(owner, latents));
    SamplingRequest sampling = SamplingRequest.of(initial, grid);
    return request.sampler().orElseThrow().usesTransitionNoise()
        ? sampling.withTransitionNoise(LatentPacking.pack(generator.draw(owner, latents)))
        : sampling;
  }

  /** Encodes the picture that a request starts from, to tokens. */
  private Optional<NDArray> encode(ImageRequest request, NDManager scratch) throws IOException {
    if (request.start().isEmpty()) {
      return Optional.empty();
    }
    endIfCancelled();
    try (NDManager owner = scratch.newSubManager()) {
      NDArray pixels = Editing.pixels(request.start().get(), owner);
      NDArray clean = LatentPacking.pack(networks.vaeEncoder().encode(pixels, tiling));
      clean.attach(scratch);
      return Optional.of(clean);
    }
  }

  /** The answer to a request of strength 0: its picture, once through the autoencoder. */
  private GeneratedImages unchanged(ImageRequest request, NDArray picture, Stopwatch encode)
      throws IOException {
    endIfCancelled();
    Stopwatch decode = new Stopwatch();
    decode.start();
    List<Image> images = Collections.nCopies(request.count(), decode(picture, request));
    decode.stop();
    PhaseTimings timings =
        new PhaseTimings(
            Duration.ZERO, encode.total(), Duration.ZERO, Duration.ZERO, decode.total());
    return new GeneratedImages(images, request, modelName(), timings, List.of());
  }

  private Image decode(NDArray latents, ImageRequest request) throws IOException {
    NDArray unpacked = LatentPacking.unpack(latents, request.grid());
    NDArray decoded = networks.vae().decode(unpacked, tiling);
    // DJL's choice would be OpenCV's factory where that is on the class path, which takes no others
    return new BufferedImageFactory().fromImage(Editing.paste(Pixels.toImage(decoded), request));
  }

  /** A name for the files: where the transformer's weights came from, and what was added. */
  private String modelName() {
    StringBuilder name =
        new StringBuilder(
            bundle.sources().stream()
                .filter(source -> source.network() == FluxNetwork.TRANSFORMER)
                .findFirst()
                .map(
                    source ->
                        source
                            .sha256()
                            .map(hash -> source.name() + " sha256:" + hash)
                            .orElse(source.name()))
                .orElse("unknown"));
    Stream.concat(bundle.adapters().stream(), adaptation.merged().stream())
        .forEach(adapter -> name.append(" + ").append(adapter.description()));
    return name.toString();
  }

  /**
   * Ends a running call before its next step or network, and those that wait, and frees everything.
   * Returns when that is done, but at once if a listener calls it. Further calls have no effect.
   */
  @Override
  public void close() {
    closing = true;
    if (turn.isHeldByCurrentThread()) {
      return; // called from a listener: the running call frees everything when it ends
    }
    turn.lock();
    try {
      free();
    } finally {
      turn.unlock();
    }
  }

  /** Closes without waiting: a running call ends as early as then, and frees everything. */
  void closeSoon() {
    closing = true;
    if (!turn.isHeldByCurrentThread() && turn.tryLock()) {
      try {
        free();
      } finally {
        turn.unlock();
      }
    }
  }

  private void free() {
    if (!freed) {
      freed = true;
      Device device = manager.getDevice();
      try {
        close(
            colours,
            modulations,
            prompts,
            networks,
            adaptation,
            clipTokenizer,
            t5Tokenizer,
            manager);
      } finally {
        EngineSetup.releaseUnused(device);
      }
    }
  }

  /** Closes all of them, whatever one of them throws. */
  private static void close(@Nullable AutoCloseable... parts) {
    RuntimeException failure = null;
    for (AutoCloseable part : parts) {
      try {
        if (part != null) {
          part.close();
        }
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("a part of the pipeline could not be closed", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Prompts to embeddings, with the cache in between. */
  private final class TextEncoding {
    private final Stopwatch tokenise = new Stopwatch();
    private final Stopwatch encode;
    private final List<String> remarks = new ArrayList<>();

    TextEncoding(Stopwatch encode) {
      this.encode = encode;
    }

    PromptEmbedding encode(String text, ImageRequest request) throws IOException {
      int textTokens = request.textTokens().orElseThrow();
      tokenise.start();
      remark("CLIP", clipTokenizer.wholeIds(text).length, clipTokenizer.length(), text);
      remark("T5", t5Tokenizer.wholeIds(text).length, textTokens, text);
      PromptEmbedding.Key key = new PromptEmbedding.Key(text, textTokens);
      PromptEmbedding known = prompts.get(key);
      if (known != null) {
        tokenise.stop();
        return known;
      }
      long[] clipIds = clipTokenizer.ids(text);
      long[] t5Ids = t5Tokenizer.ids(text, textTokens);
      tokenise.stop();
      encode.start();
      listener.onActivity(new Activity(Phase.ENCODE, shortened(text), 0, 0));
      endIfCancelled();
      try (NDManager owner = manager.newSubManager();
          ClipTextEncoder.Encoding clip = networks.clip().encode(batchOfOne(owner, clipIds))) {
        endIfCancelled();
        NDArray tokens = networks.t5().encode(batchOfOne(owner, t5Ids));
        NDArray pooled = clip.pooled();
        requireFinite("CLIP", pooled, text);
        requireFinite("T5", tokens, text);
        tokens.attach(manager);
        NDArray kept = pooled.duplicate();
        kept.attach(manager);
        PromptEmbedding embedding = new PromptEmbedding(tokens, kept);
        prompts.put(key, embedding);
        return embedding;
      } finally {
        encode.stop();
      }
    }

    private NDArray batchOfOne(NDManager owner, long[] ids) {
      return owner.create(ids, new Shape(1, ids.length));
    }

    private void remark(String encoder, int length, int limit, String text) {
      if (length > limit) {
        remarks.add(
            "The prompt \"%s\" has %d %s tokens; the last %d were cut off."
                .formatted(shortened(text), length, encoder, length - limit));
      }
    }

    private void requireFinite(String encoder, NDArray embedding, String text) {
      try (NDArray sum = embedding.sum()) {
        if (!Float.isFinite(sum.getFloat())) {
          throw new IllegalStateException(
              "the %s text encoder gave values that are not finite for the prompt \"%s\"; if its weights are f16, convert the checkpoint to bf16 or f32"
                  .formatted(encoder, shortened(text)));
        }
      }
    }

    private String shortened(String text) {
      return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
  }

  private Cancelling listening(ImageRequest request) throws IOException {
    Cancelling listening = new Cancelling(request);
    if (!listening.previews.isEmpty() && colours == null) {
      endIfCancelled();
      colours = LatentColours.fit(networks.vaeEncoder(), manager);
    }
    return listening;
  }

  /** Every preview listener that hears through a listener. */
  private static Stream<PreviewListener> previews(SamplingListener listener) {
    Stream<PreviewListener> own =
        listener instanceof PreviewListener previews ? Stream.of(previews) : Stream.empty();
    return Stream.concat(own, listener.delegates().stream().flatMap(FluxPipeline::previews));
  }

  /**
   * The request's listener in one run, with the previews that are wanted within it, and the end of
   * a call that nobody waits for.
   */
  private final class Cancelling implements SamplingListener {
    private final SamplingListener listener;
    private final List<SamplingListener> estimateListeners;
    private final List<PreviewListener> previews;
    private final TokenGrid grid;

    /** Who wants the estimate of the step at hand, each asked once. */
    private List<SamplingListener> wanting = List.of();

    Cancelling(ImageRequest request) {
      listener = request.listener().orElse(SamplingListener.none());
      estimateListeners = listener.estimateListeners();
      previews = previews(listener).toList();
      grid = request.grid();
    }

    @Override
    public boolean wantsEstimate(int step) {
      // previews within a listener that answers for them come first: it will ask them again
      wanting =
          Stream.concat(previews.stream().filter(this::isHidden), estimateListeners.stream())
              .filter(each -> each.wantsEstimate(step))
              .toList();
      return !wanting.isEmpty();
    }

    private boolean isHidden(SamplingListener preview) {
      return !estimateListeners.contains(preview);
    }

    @Override
    public void onEstimate(int step, NDArray estimate) {
      for (SamplingListener each : wanting) {
        if (!isHidden(each)) {
          each.onEstimate(step, estimate);
        }
        if (each instanceof PreviewListener preview && previews.contains(preview)) {
          preview.onPreview(step, Objects.requireNonNull(colours).picture(estimate, grid));
        }
      }
    }

    @Override
    public void onStep(SamplingStep step) {
      listener.onStep(step);
    }

    @Override
    public boolean isCancelled() {
      return FluxPipeline.this.isCancelled();
    }
  }
}
