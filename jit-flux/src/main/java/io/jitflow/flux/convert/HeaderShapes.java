package io.jitflow.flux.convert;

import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads sizes of a network from the shapes of its tensors. */
final class HeaderShapes {
  private final TensorFiles files;
  private final String before;

  HeaderShapes(TensorFiles files) {
    this(files, "");
  }

  /** Of a file whose names all stand behind a prefix. */
  HeaderShapes(TensorFiles files, String before) {
    this.files = files;
    this.before = before;
  }

  boolean has(String tensor) {
    return files.tensors().containsKey(before + tensor);
  }

  /** One dimension of a tensor that must be there. */
  int dimension(String name, int rank, int axis) throws IOException {
    String tensor = before + name;
    TensorInfo info = files.tensors().get(tensor);
    if (info == null) {
      throw new CheckpointException(
          files.source()
              + ": expected tensor "
              + TensorInfo.quote(tensor)
              + ", not found; the checkpoint is incomplete or not a FLUX.1 model");
    }
    if (info.shape().size() != rank
        || info.shape().get(axis) > Integer.MAX_VALUE
        || info.shape().get(axis) == 0) {
      throw new CheckpointException(
          files.source()
              + ": tensor "
              + TensorInfo.quote(tensor)
              + ": expected "
              + rank
              + " dimensions of at least 1, found shape "
              + info.shape()
              + "; this is not a FLUX.1 model");
    }
    return info.shape().get(axis).intValue();
  }

  /** How many numbered parts follow a prefix: 0, 1, 2, ... without gaps. */
  int count(String blocks) throws IOException {
    String prefix = before + blocks;
    Pattern pattern = Pattern.compile(Pattern.quote(prefix) + "(\\d{1,6})\\..*", Pattern.DOTALL);
    Set<Integer> numbers = new HashSet<>();
    for (String name : files.names()) {
      Matcher matcher = pattern.matcher(name);
      if (matcher.matches()) {
        numbers.add(Integer.parseInt(matcher.group(1)));
      }
    }
    for (int i = 0; i < numbers.size(); i++) {
      if (!numbers.contains(i)) {
        throw new CheckpointException(
            files.source()
                + ": expected "
                + prefix
                + "0 to "
                + prefix
                + numbers.stream().max(Integer::compare).orElseThrow()
                + ", found no "
                + prefix
                + i
                + "; the checkpoint is incomplete");
      }
    }
    return numbers.size();
  }

  /** The count, which a configuration must agree with. */
  int count(String prefix, ConfigFile config, String key) throws IOException {
    int found = count(prefix);
    int said = config.integer(key, found);
    if (said != found) {
      throw new CheckpointException(
          config.file()
              + ": "
              + key
              + ": expected "
              + found
              + ", the number of "
              + prefix
              + "* in "
              + files.source()
              + ", found "
              + said
              + "; configuration and weights do not belong together, download them again");
    }
    return found;
  }
}
