package io.jitflow.flux.image;

import ai.djl.modality.cv.Image;
import io.jitflow.core.Sampler;
import io.jitflow.core.check.Checks;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import javax.imageio.ImageIO;

/**
 * The images of one request, with what it took to make them.
 *
 * @param images as many as the request's count, in its order; plain Java memory, nothing to close
 * @param request the request with every default filled in
 * @param model what the pipeline calls its model
 * @param timings how long each phase took, for all images together
 * @param remarks what a user should know, in whole sentences, such as text that was cut off;
 *     usually empty
 */
public record GeneratedImages(
    List<Image> images,
    ImageRequest request,
    String model,
    PhaseTimings timings,
    List<String> remarks) {

  /**
   * Checks that there are as many images as requested.
   *
   * @param images as many as the request's count; copied
   * @param request complete
   * @param model a name
   * @param timings of all images together
   * @param remarks copied
   */
  public GeneratedImages {
    images = List.copyOf(images);
    remarks = List.copyOf(remarks);
    Checks.argument(
        images.size() == request.count(),
        "expected %d images as requested, got %d",
        request.count(),
        images.size());
  }

  /**
   * Saves the images as PNG files, each with the request of that one image, so that {@link
   * ImageRequest#fromPng} gives it back. A file is complete or not there at all; an existing one is
   * replaced.
   *
   * @param png where to, a name that ends in {@code .png}; of several images, {@code fox.png}
   *     becomes {@code fox-0.png}, {@code fox-1.png} and so on
   * @return the files written
   * @throws IOException if a file cannot be written; its folder must exist
   */
  public List<Path> save(Path png) throws IOException {
    List<Path> files = files(png, images.size());
    for (int i = 0; i < images.size(); i++) {
      writePng(i, files.get(i));
    }
    return files;
  }

  /**
   * One image as Java's own.
   *
   * @param index which image, from 0
   * @return its pixels; the very ones of {@link #images} where those are of DJL's default kind
   */
  public BufferedImage bufferedImage(int index) {
    Image image = images.get(index);
    if (image.getWrappedImage() instanceof BufferedImage wrapped) {
      return wrapped;
    }
    try {
      ByteArrayOutputStream png = new ByteArrayOutputStream();
      image.save(png, "png");
      return ImageIO.read(new ByteArrayInputStream(png.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException("in memory", e);
    }
  }

  /**
   * One image as the bytes of a PNG file, with the request of that one image, as {@link #save}
   * writes it.
   *
   * @param index which image, from 0
   * @return the file's content
   */
  public byte[] toPng(int index) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      writePng(index, png);
    } catch (IOException e) {
      throw new UncheckedIOException("in memory", e);
    }
    return png.toByteArray();
  }

  /**
   * Writes one image as PNG, with the request of that one image, as {@link #save} does.
   *
   * @param index which image, from 0
   * @param out where to; stays open
   * @throws IOException if it cannot be written
   */
  public void writePng(int index, OutputStream out) throws IOException {
    ImageOrigin origin = new ImageOrigin(request.single(index), model, List.of());
    PngText.write(
        bufferedImage(index), origin.toJson(), ParametersText.write(origin.request(), model), out);
  }

  /**
   * What frameworks call metadata: {@code seed} of the first image, {@code sampler} ({@code euler},
   * {@code plain}, {@code jit} or {@code other}), {@code steps}, {@code widthPx}, {@code heightPx},
   * {@code model}, {@code millis} of every phase together, {@code encodeMillis}, {@code
   * denoiseMillis}, {@code decodeMillis}, {@code remarks}, and the whole {@code request} as JSON.
   *
   * @return names to plain values, in that order
   */
  public Map<String, Object> metadata() {
    Map<String, Object> metadata = new LinkedHashMap<>();
    Sampler sampler = request.sampler().orElseThrow();
    metadata.put("seed", request.seed().orElseThrow());
    metadata.put("sampler", SamplerJson.write(sampler).get("kind").getAsString());
    metadata.put("steps", sampler.steps());
    metadata.put("widthPx", request.widthPx());
    metadata.put("heightPx", request.heightPx());
    metadata.put("model", model);
    metadata.put("millis", timings.total().toMillis());
    metadata.put("encodeMillis", timings.encode().toMillis());
    metadata.put("denoiseMillis", timings.denoise().toMillis());
    metadata.put("decodeMillis", timings.decode().toMillis());
    metadata.put("remarks", remarks);
    metadata.put("request", request.toString());
    return Collections.unmodifiableMap(metadata);
  }

  /**
   * The files that {@link #save} would write, for checks before the work.
   *
   * @param png a name that ends in {@code .png}
   * @param count the number of images
   * @return their names
   */
  public static List<Path> files(Path png, int count) {
    String name = png.getFileName() == null ? "" : png.getFileName().toString();
    Checks.argument(
        name.toLowerCase(Locale.ROOT).endsWith(".png") && name.length() > ".png".length(),
        "images are saved as PNG, so the name must end in .png, got '%s'",
        png);
    if (count == 1) {
      return List.of(png);
    }
    String stem = name.substring(0, name.length() - ".png".length());
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      files.add(png.resolveSibling(stem + "-" + i + ".png"));
    }
    return List.copyOf(files);
  }

  private void writePng(int index, Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder + ": expected an existing folder to save into");
    }
    if (Files.isDirectory(file)) {
      throw new FileAlreadyExistsException(file.toString(), null, "is a folder, expected a file");
    }
    Path unfinished = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      try (OutputStream out = Files.newOutputStream(unfinished, StandardOpenOption.CREATE_NEW)) {
        writePng(index, out);
      }
      moveInto(unfinished, file);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static void moveInto(Path unfinished, Path file) throws IOException {
    try {
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /**
   * How long the phases of one call took.
   *
   * @param tokenise prompts to token ids
   * @param encode token ids to embeddings, and a picture to start from to latents, loading the
   *     encoders included; near zero without a picture if the embeddings were cached
   * @param noise drawing the noise of the seed
   * @param denoise noise to latents: the sampler and the transformer
   * @param decode latents to pixels
   */
  public record PhaseTimings(
      Duration tokenise, Duration encode, Duration noise, Duration denoise, Duration decode) {

    /** {@return the sum of the phases} */
    public Duration total() {
      return tokenise.plus(encode).plus(noise).plus(denoise).plus(decode);
    }
  }
}
