package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Replaces a small folder by the next one, again and again, until it is killed. */
final class ReplacingProcess {
  static final int FILES = 4;

  private ReplacingProcess() {}

  public static void main(String[] arguments) throws IOException {
    Path target = Path.of(arguments[0]);
    boolean inTwoSteps = arguments[1].equals("two-steps");
    for (int generation = Integer.parseInt(arguments[2]); ; generation++) {
      try (StagedFolder staged = StagedFolder.create(target, ExistingBundle.REPLACE)) {
        write(staged.path(), generation);
        if (inTwoSteps) {
          staged.moveInTwoSteps();
        } else {
          staged.moveToTarget();
        }
      }
      System.out.println(generation);
    }
  }

  /** Every file of a folder says the same. */
  static void write(Path folder, int generation) throws IOException {
    Files.writeString(folder.resolve(FluxBundle.MANIFEST), "generation " + generation);
    for (int i = 1; i < FILES; i++) {
      Files.writeString(folder.resolve("part-" + i), "generation " + generation);
    }
  }
}
