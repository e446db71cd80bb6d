package io.jitflow.flux.bundle;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** The manifest's list of a bundle's files, with size and hashes of each. */
final class BundleFiles {
  static final String KEY = "files";

  /** Begins the name of a manifest that is being written; what a killed process left is no part. */
  static final String UNFINISHED = "." + FluxBundle.MANIFEST + ".";

  private static final int BUFFER_BYTES = 8 << 20;
  private static final int BYTES_PER_CALL = 64 << 20;

  /**
   * One file.
   *
   * @param name path within the bundle, with slashes
   * @param bytes its size
   * @param crc32c eight hexadecimal digits
   * @param sha256 64 hexadecimal digits, if it was computed
   */
  record Entry(String name, long bytes, String crc32c, Optional<String> sha256) {}

  private BundleFiles() {}

  /** What lies in a folder now, but for the manifest, as the manifest's entry. */
  static JsonArray describe(Path folder, boolean withSha256, ReadProgress reading)
      throws IOException {
    JsonArray entries = new JsonArray();
    for (Path file : list(folder)) {
      Entry entry = hash(folder, file, withSha256, reading);
      JsonObject object = new JsonObject();
      object.addProperty("name", entry.name());
      object.addProperty("bytes", entry.bytes());
      object.addProperty("crc32c", entry.crc32c());
      entry.sha256().ifPresent(hash -> object.addProperty("sha256", hash));
      entries.add(object);
    }
    return entries;
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.equals(folder.resolve(FluxBundle.MANIFEST)))
          .filter(file -> !file.getFileName().toString().startsWith(UNFINISHED))
          .sorted()
          .toList();
    }
  }

  /** Reads the manifest's entry. */
  static List<Entry> parse(StrictJson manifest) throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (StrictJson file : manifest.objects(KEY)) {
      entries.add(
          new Entry(
              file.string("name"),
              file.longInteger("bytes"),
              file.string("crc32c"),
              file.optionalString("sha256")));
    }
    return entries;
  }

  /** Compares sizes first, which takes no time, then hashes. */
  static void verify(
      Path folder, List<Entry> entries, Verification verification, ReadProgress reading)
      throws IOException {
    for (Entry entry : entries) {
      Path file = place(folder, entry);
      if (!Files.isRegularFile(file)) {
        throw wrong(file, "the file that the manifest lists", "nothing");
      }
      if (Files.size(file) != entry.bytes()) {
        throw wrong(file, entry.bytes() + " bytes", Long.toString(Files.size(file)));
      }
    }
    for (Entry entry : entries) {
      Path file = place(folder, entry);
      boolean full = verification == Verification.FULL && entry.sha256().isPresent();
      Entry found = hash(folder, file, full, reading);
      if (!found.crc32c().equals(entry.crc32c())) {
        throw wrong(file, "content with CRC-32C " + entry.crc32c(), found.crc32c());
      }
      if (full && !found.sha256().equals(entry.sha256())) {
        throw wrong(file, "content with SHA-256 " + entry.sha256().get(), found.sha256().get());
      }
    }
  }

  /** Where a file is. The folder stays as it was given, for it may lead through links. */
  private static Path place(Path folder, Entry entry) throws BundleException {
    Path root = folder.toAbsolutePath().normalize(); // one that is not empty, as that of . is
    Path file = root.resolve(entry.name()).normalize();
    if (!file.startsWith(root)) {
      throw new BundleException(
          folder.resolve(FluxBundle.MANIFEST)
              + ": files: expected names within the bundle, found one that leads out of it",
          null);
    }
    return folder.resolve(root.relativize(file));
  }

  private static BundleException wrong(Path file, String expected, String found) {
    return new BundleException(
        "%s: expected %s, found %s: the file is damaged or was replaced; convert the checkpoint again, or, if you put a module of your own there, record it with FluxConverter.acceptFiles"
            .formatted(file, expected, found),
        null);
  }

  private static Entry hash(Path folder, Path file, boolean withSha256, ReadProgress reading)
      throws IOException {
    String name = folder.relativize(file).toString().replace('\\', '/');
    long total = Files.size(file);
    CRC32C crc = new CRC32C();
    MessageDigest digest = withSha256 ? sha256() : null;
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(BUFFER_BYTES, total + 1));
    long done = 0;
    long told = -1;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      do {
        if (told < 0 || done - told >= BYTES_PER_CALL) {
          reading.read(name, done, total);
          told = done;
        }
        buffer.flip();
        if (digest != null) {
          digest.update(buffer.duplicate());
        }
        done += buffer.remaining();
        crc.update(buffer);
        buffer.clear();
      } while (channel.read(buffer) >= 0);
    }
    return new Entry(
        name,
        done,
        String.format(Locale.ROOT, "%08x", crc.getValue()),
        Optional.ofNullable(digest).map(d -> HexFormat.of().formatHex(d.digest())));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
