import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/**
 * Looks through the artifacts that {@code .ci/release} made: complete, signed, and nothing else.
 */
public final class CheckRelease {
  private static final Map<String, String> MODULES =
      Map.of(
          "jit-core", "io.jitflow.core",
          "jit-flux", "io.jitflow.flux",
          "jit-flux-mini", "io.jitflow.flux.mini",
          "jit-langchain4j", "io.jitflow.langchain4j",
          "jit-spring-ai", "io.jitflow.spring",
          "jit-spark", "io.jitflow.spark");
  private static final Set<String> WITHOUT_JAR = Set.of("jit-parent", "jit-bom");

  private final Path root;
  private final String version;
  private final List<String> problems = new ArrayList<>();

  private CheckRelease(Path root, String version) {
    this.root = root;
    this.version = version;
  }

  /**
   * Checks and says what is wrong.
   *
   * @param args the folder, which is a Maven repository, and the version
   */
  public static void main(String[] args) throws Exception {
    CheckRelease check = new CheckRelease(Path.of(args[0], "io", "jitflow"), args[1]);
    check.run();
    check.problems.forEach(System.err::println);
    if (!check.problems.isEmpty()) {
      System.exit(1);
    }
    System.out.println("the release is complete");
  }

  private void run() throws Exception {
    Set<String> expected = new TreeSet<>(MODULES.keySet());
    expected.addAll(WITHOUT_JAR);
    try (Stream<Path> folders = Files.list(root)) {
      Set<String> found =
          folders
              .filter(Files::isDirectory)
              .map(folder -> folder.getFileName().toString())
              .collect(Collectors.toCollection(TreeSet::new));
      require(found.equals(expected), "artifacts: expected %s, found %s", expected, found);
    }
    for (String artifact : expected) {
      files(artifact);
      pom(artifact);
    }
    for (String artifact : MODULES.keySet()) {
      jar(artifact);
      bom(artifact);
    }
  }

  private void require(boolean fulfilled, String problem, Object... values) {
    if (!fulfilled) {
      problems.add(problem.formatted(values));
    }
  }

  private Path file(String artifact, String ending) {
    return root.resolve(artifact).resolve(version).resolve(artifact + "-" + version + ending);
  }

  /** Each with its signature and checksums; the script has verified the signatures. */
  private void files(String artifact) {
    List<String> endings = new ArrayList<>(List.of(".pom", "-cyclonedx.json", "-cyclonedx.xml"));
    if (!WITHOUT_JAR.contains(artifact)) {
      endings.addAll(List.of(".jar", "-sources.jar", "-javadoc.jar"));
    }
    for (String ending : endings) {
      for (String beside : List.of("", ".asc", ".md5", ".sha1")) {
        Path file = file(artifact, ending + beside);
        require(Files.isRegularFile(file), "%s is missing", file);
      }
    }
  }

  /** What Maven Central asks for, and nothing that only makes sense in the source tree. */
  private void pom(String artifact) throws Exception {
    Path file = file(artifact, ".pom");
    if (!Files.isRegularFile(file)) {
      return; // said already
    }
    String text = Files.readString(file);
    require(!text.contains("${"), "%s: a property was left", file);
    require(!text.contains("SNAPSHOT"), "%s refers to a snapshot", file);
    Element project = parse(file).getDocumentElement();
    for (String required :
        List.of("name", "description", "url", "licenses", "developers", "scm", "version")) {
      require(child(project, required) != null, "%s: <%s> is missing", file, required);
    }
    require(
        text(project, "url").equals(text(parse(Path.of("pom.xml")).getDocumentElement(), "url")),
        "%s: the url is not the project's",
        file);
    for (String inner : List.of("parent", "properties", "build", "profiles", "modules")) {
      require(child(project, inner) == null, "%s: <%s> was left", file, inner);
    }
    require(!text.contains("<scope>test</scope>"), "%s: a dependency of tests was left", file);
    if (artifact.equals("jit-bom")) {
      for (String managed : MODULES.keySet()) {
        require(manages(project, "io.jitflow", managed, version), "the BOM lacks %s", managed);
      }
      Element properties = child(parse(Path.of("pom.xml")).getDocumentElement(), "properties");
      String djl = text(properties, "djl.version");
      String pytorch = text(properties, "pytorch.version");
      require(manages(project, "ai.djl", "api", djl), "the BOM lacks api");
      require(
          manages(project, "ai.djl.pytorch", "pytorch-engine", djl),
          "the BOM lacks pytorch-engine");
      require(
          manages(project, "ai.djl.pytorch", "pytorch-jni", pytorch + "-" + djl),
          "the BOM lacks pytorch-jni");
      require(
          manages(project, "ai.djl.pytorch", "pytorch-native-cpu", pytorch),
          "the BOM lacks pytorch-native-cpu");
      require(
          manages(project, "ai.djl.huggingface", "tokenizers", djl), "the BOM lacks tokenizers");
    }
  }

  private static boolean manages(Element project, String group, String artifact, String version) {
    Element management = child(project, "dependencyManagement");
    if (management == null) {
      return false;
    }
    Node dependency = child(management, "dependencies").getFirstChild();
    for (; dependency != null; dependency = dependency.getNextSibling()) {
      if (dependency instanceof Element element
          && group.equals(text(element, "groupId"))
          && artifact.equals(text(element, "artifactId"))
          && version.equals(text(element, "version"))) {
        return true;
      }
    }
    return false;
  }

  private void jar(String artifact) throws IOException {
    Path file = file(artifact, ".jar");
    if (!Files.isRegularFile(file)) {
      return;
    }
    Path notice = Path.of(artifact.equals("jit-flux-mini") ? "src-test-fixtures/flux-mini" : ".");
    try (JarFile jar = new JarFile(file.toFile())) {
      String module = jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name");
      require(
          MODULES.get(artifact).equals(module),
          "%s: expected module %s, found %s",
          file,
          MODULES.get(artifact),
          module);
      require(
          version.equals(jar.getManifest().getMainAttributes().getValue("Implementation-Version")),
          "%s: the manifest does not say the version",
          file);
      require(
          jar.stream().noneMatch(entry -> entry.getName().endsWith("Test.class")),
          "%s has tests",
          file);
      require(
          read(jar, "META-INF/LICENSE").equals(Files.readString(Path.of("LICENSE"))),
          "%s: META-INF/LICENSE is not the licence",
          file);
      require(
          read(jar, "META-INF/NOTICE").equals(Files.readString(notice.resolve("NOTICE"))),
          "%s: META-INF/NOTICE is not the notice",
          file);
    }
    Set<String> classes = names(file, ".class");
    Set<String> sources = names(file(artifact, "-sources.jar"), ".java");
    for (String name : classes) {
      String source = name.replaceFirst("(\\$.*)?\\.class$", ".java");
      require(sources.contains(source), "%s: no source of %s", file, name);
    }
    require(!classes.isEmpty(), "%s has no classes", file);
    require(
        !names(file(artifact, "-javadoc.jar"), "index.html").isEmpty(),
        "%s has no javadoc",
        artifact);
  }

  private static Set<String> names(Path file, String ending) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      return jar.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.endsWith(ending))
          .collect(Collectors.toSet());
    }
  }

  private static String read(JarFile jar, String name) throws IOException {
    ZipEntry entry = jar.getEntry(name);
    if (entry == null) {
      return "";
    }
    try (InputStream in = jar.getInputStream(entry)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The bill of materials is this artifact's and lists something. */
  private void bom(String artifact) throws Exception {
    Path file = file(artifact, "-cyclonedx.xml");
    if (!Files.isRegularFile(file)) {
      return;
    }
    Element bom = parse(file).getDocumentElement();
    Element component = child(child(bom, "metadata"), "component");
    require(
        artifact.equals(text(component, "name")) && version.equals(text(component, "version")),
        "%s describes %s %s",
        file,
        text(component, "name"),
        text(component, "version"));
    Element components = child(bom, "components");
    require(components != null && child(components, "component") != null, "%s lists nothing", file);
  }

  private static Document parse(Path file)
      throws ParserConfigurationException, SAXException, IOException {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
  }

  private static Element child(Element parent, String name) {
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element && element.getTagName().equals(name)) {
        return element;
      }
    }
    return null;
  }

  private static String text(Element parent, String name) {
    Element child = child(parent, name);
    return child == null ? "" : child.getTextContent().strip();
  }
}
