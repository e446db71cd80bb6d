package io.jitflow.examples.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line program {@code jit}. */
@Command(
    name = "jit",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = "FLUX.1 text to image in Java, accelerated by the Just-in-Time sampler.",
    subcommands = {
      ConvertCommand.class,
      GenerateCommand.class,
      CompareCommand.class,
      InspectCommand.class,
      BenchCommand.class,
      StudyCommand.class,
      ProbeCommand.class,
      SheetCommand.class,
      ScenesCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  jit inspect ~/models/FLUX.1-schnell",
      "  jit convert ~/models/FLUX.1-schnell schnell-bundle --dtype bf16",
      "  jit generate --model schnell-bundle --prompt \"a red fox in snow\" -o fox.png",
      "  jit generate --model schnell-bundle --from fox.png -o again.png",
      "  jit compare --model dev-bundle --prompt \"a red fox in snow\" -o compare.png",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled with Ctrl-C.",
      "Run 'jit COMMAND --help' for the options of a command.",
      ""
    })
public final class Main {

  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  static final int CANCELLED = 130;

  private final Interrupt interrupt;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      order = 99,
      description = "When something fails, print the stack trace too.")
  private boolean stacktrace;

  private Main(Interrupt interrupt) {
    this.interrupt = interrupt;
  }

  /**
   * Runs a command and ends the process with its exit code.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    System.setProperty("java.awt.headless", "true"); // pictures are drawn, never shown
    setDefault("RUST_FLAVOR", "cpu"); // tokenizing needs no CUDA build of the tokenizers
    setDefault("org.slf4j.simpleLogger.defaultLogLevel", "warn");
    setDefault("org.slf4j.simpleLogger.log.io.jitflow", "info"); // what was loaded, and how it runs
    setDefault("org.slf4j.simpleLogger.showThreadName", "false");
    setDefault("org.slf4j.simpleLogger.showLogName", "false");
    // its four warnings mean that there is no CUDA, which is normal; where a GPU lies idle for want
    // of it, the library says so itself
    setDefault("org.slf4j.simpleLogger.log.ai.djl.util.cuda", "error");
    // numbers in tables, file names and JSON are the same everywhere; a PrintWriter does not ask
    // for the locale of formats, but for the general one
    Locale.setDefault(Locale.ROOT);
    Interrupt interrupt = new Interrupt();
    interrupt.listenToCtrlC();
    int exitCode = FAILED;
    try {
      exitCode = run(commandLine(interrupt), args);
    } finally {
      interrupt.finished();
    }
    System.exit(exitCode);
  }

  /** Runs a command; nothing but an exit code comes out of it, whatever happens. */
  static int run(CommandLine commandLine, String... args) {
    int exitCode;
    try {
      exitCode = commandLine.execute(args);
    } catch (Error e) { // out of memory, most often; exceptions have been dealt with by then
      boolean trace = List.of(args).contains("--stacktrace");
      exitCode =
          Failure.of(e, commandLine.getCommandSpec()).print(commandLine.getErr(), trace ? e : null);
    }
    if (exitCode == 0 && commandLine.getOut().checkError()) {
      commandLine.getErr().println("error: the standard output is closed or full");
      commandLine.getErr().flush();
      exitCode = FAILED;
    }
    return exitCode;
  }

  private static void setDefault(String property, String value) {
    if (System.getProperty(property) == null && System.getenv(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * The program, ready to run; tests use it too.
   *
   * @param interrupt what the user may request while a command runs
   */
  static CommandLine commandLine(Interrupt interrupt) {
    Main main = new Main(interrupt);
    CommandLine commandLine = new CommandLine(main);
    commandLine
        .setOut(new PrintWriter(System.out, true, Charset.defaultCharset()))
        .setErr(new PrintWriter(System.err, true, Charset.defaultCharset()))
        .setExpandAtFiles(false) // a prompt may begin with @
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler((e, args) -> main.wrongUsage(e))
        .setExecutionExceptionHandler(
            (e, failed, parsed) ->
                Failure.of(e, failed.getCommandSpec())
                    .print(failed.getErr(), main.stacktrace ? e : null));
    return commandLine;
  }

  Interrupt interrupt() {
    return interrupt;
  }

  private int wrongUsage(ParameterException e) {
    CommandLine failed = e.getCommandLine();
    PrintWriter err = failed.getErr();
    err.println("error: " + Printable.of(e.getMessage()));
    UnmatchedArgumentException.printSuggestions(e, err);
    err.printf("Try '%s --help'.%n", failed.getCommandSpec().qualifiedName());
    if (stacktrace) {
      e.printStackTrace(err);
    }
    err.flush();
    return WRONG_USAGE;
  }

  /** The version of the jar, and of what it runs on. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      Properties system = System.getProperties();
      return new String[] {
        "jit " + (version == null ? "(development)" : version),
        "Java %s on %s %s"
            .formatted(
                system.getProperty("java.version"),
                system.getProperty("os.name"),
                system.getProperty("os.arch"))
      };
    }
  }
}
