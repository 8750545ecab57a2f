package io.javisor.boot.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * apt's answers. It reads apt's lists and downloads into a folder; it never installs. When lists are missing or too old it has
 * them brought if it runs as root, and else says the command.
 */
final class Apt {
    /** Debian policy 5.6.7: lower case, digits, plus, minus, dot, at least two characters. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9+.-]{1,200}");

    private static final Pattern VERSION = Pattern.compile("[A-Za-z0-9.+:~-]{1,200}");
    /** A release of Debian as {@link #backports} asks for it: where it is, and its name. */
    private static final Pattern DEBIAN = Pattern.compile("deb ([a-z][a-z0-9+.-]*:[!-~]+) ([a-z]{1,40}) Debian/main");

    private static final Pattern INSTALL = Pattern.compile("Inst ([^ ]+) (?:\\[[^]]*] )?\\(([^ ]+) .*");
    private static final String UPDATE = "as root: apt-get update";

    private final String tools;
    private final Consumer<String> progress;
    private final List<String> options;
    private boolean updated;

    /** A package that can be fetched; {@code depends} as the control file has it. */
    record Candidate(String name, String version, String depends) {
        String folder() {
            // Colons of epochs do no harm in names of files, but confuse shells' search paths.
            return name + "_" + version.replace(':', '%');
        }
    }

    /**
     * @param tools folder of apt's programs with a closing slash; empty for those on the PATH
     */
    Apt(String tools, Consumer<String> progress) {
        this(tools, progress, List.of());
    }

    private Apt(String tools, Consumer<String> progress, List<String> options) {
        this.tools = tools;
        this.progress = progress;
        this.options = options;
    }

    /**
     * The packages of newer releases that were built for this Debian (its backports), from the archive that apt uses for
     * Debian itself. Their lists are kept in a folder of their own: apt's configuration stays as it is.
     *
     * @throws DebianException if apt's configuration names no Debian, or it has no backports
     */
    Apt backports(Path folder) {
        requireApt();
        String line = Command.run(
                        null,
                        60,
                        List.of(
                                tools + "apt-get",
                                "indextargets",
                                "--format",
                                "deb $(REPO_URI) $(CODENAME) $(LABEL)/$(COMPONENT)",
                                "Created-By: Packages"))
                .out()
                .lines()
                .map(DEBIAN::matcher)
                .filter(Matcher::matches)
                .map(m -> "deb " + m.group(1) + " " + m.group(2) + "-backports main\n")
                .findFirst()
                .orElseThrow(() -> new DebianException(
                        "debian-unknown", "apt's sources name no release of Debian", "name one, and " + UPDATE, null));
        try {
            Files.createDirectories(folder.resolve("lists/partial"));
            Files.createDirectories(folder.resolve("archives/partial"));
            Files.writeString(folder.resolve("sources.list"), line);
        } catch (IOException e) {
            throw PackageCache.failed("cannot write to " + folder, e);
        }
        Apt apt = new Apt(
                tools,
                progress,
                List.of(
                        "-o",
                        "Dir::State::Lists=" + folder.resolve("lists"),
                        "-o",
                        "Dir::State::status=/dev/null", // as if nothing were installed
                        "-o",
                        "Dir::Etc::SourceList=" + folder.resolve("sources.list"),
                        "-o",
                        "Dir::Etc::SourceParts=/dev/null",
                        "-o",
                        "Dir::Cache=" + folder,
                        "-o",
                        "APT::Sandbox::User=root"));
        apt.updated = true;
        progress.accept("fetching the lists of " + line.strip());
        Command.Result result = Command.run(null, 300, apt.command("apt-get", "-qq", "update"));
        if (result.code() != 0) {
            throw new DebianException(
                    "debian-fetch",
                    "cannot fetch the lists of " + line.strip() + ": " + result.complaint(),
                    null,
                    null);
        }
        return apt;
    }

    private List<String> command(String program, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(tools + program);
        words.addAll(options);
        words.addAll(List.of(arguments));
        return words;
    }

    static String checkName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new DebianException("debian-unknown", "\"" + name + "\" cannot be a package's name", null, null);
        }
        return name;
    }

    /** What can be fetched of these; names that apt does not know are left out. */
    Map<String, Candidate> candidates(List<String> names) {
        requireApt();
        List<String> command = command("apt-cache", "show", "--no-all-versions");
        names.forEach(name -> command.add(checkName(name)));
        Map<String, Candidate> found = parse(Command.run(null, 60, command).out());
        if (found.isEmpty() && updateOnce("apt knows none of " + String.join(", ", names))) {
            found = parse(Command.run(null, 60, command).out());
        }
        return found;
    }

    /** The first of these, in their order, that fits; null if apt, its lists being up to date, knows none. */
    @Nullable
    Candidate first(List<String> names, Predicate<Candidate> fits) {
        Candidate found = fitting(names, fits);
        if (found == null && updateOnce("apt's lists may be too old for " + names.getFirst())) {
            found = fitting(names, fits);
        }
        return found;
    }

    private @Nullable Candidate fitting(List<String> names, Predicate<Candidate> fits) {
        Map<String, Candidate> found = candidates(names);
        return names.stream()
                .map(found::get)
                .filter(c -> c != null && fits.test(c))
                .findFirst()
                .orElse(null);
    }

    Candidate candidate(String name) {
        Candidate candidate = candidates(List.of(name)).get(name);
        if (candidate == null) {
            throw unknown(name, "");
        }
        return candidate;
    }

    /** These, without what they need. */
    List<Candidate> alone(List<String> names) {
        return names.stream().map(this::candidate).toList();
    }

    /** All packages that these need on a system that has nothing, themselves included, by name. */
    List<Candidate> closure(List<String> names) {
        requireApt();
        List<String> command = new ArrayList<>(List.of(
                tools + "apt-get",
                "-o",
                "Dir::State::status=/dev/null", // as if nothing were installed
                "-o",
                "Dir::Cache::pkgcache=",
                "-o",
                "Dir::Cache::srcpkgcache=", // leave apt's own caches alone
                "--simulate",
                "--no-install-recommends",
                "install"));
        names.forEach(name -> command.add(checkName(name)));
        Command.Result result = Command.run(null, 60, command);
        if (result.code() != 0 && updateOnce("apt cannot resolve " + String.join(", ", names))) {
            result = Command.run(null, 60, command);
        }
        if (result.code() != 0) {
            throw new DebianException(
                    "debian-unknown", String.join(" ", command) + " failed: " + result.complaint(), UPDATE, null);
        }
        Map<String, Candidate> found = new LinkedHashMap<>();
        for (String line : result.out().lines().toList()) {
            Matcher matcher = INSTALL.matcher(line);
            if (matcher.matches()
                    && NAME.matcher(matcher.group(1)).matches()
                    && VERSION.matcher(matcher.group(2)).matches()) {
                found.putIfAbsent(matcher.group(1), new Candidate(matcher.group(1), matcher.group(2), ""));
            }
        }
        return found.values().stream()
                .sorted(java.util.Comparator.comparing(Candidate::name))
                .toList();
    }

    /** Names of all packages that begin so. */
    List<String> namesBeginningWith(String prefix) {
        requireApt();
        return Command.run(null, 60, List.of(tools + "apt-cache", "pkgnames", checkName(prefix)))
                .out()
                .lines()
                .sorted()
                .toList();
    }

    /** Fetches packages into an empty folder; apt checks their signatures and sums. */
    void download(List<Candidate> packages, Path folder) {
        List<String> command = command("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download");
        packages.forEach(p -> command.add(p.name() + "=" + p.version()));
        Command.Result result = Command.run(folder, 900, command);
        if (result.code() != 0 && updateOnce("a package could not be fetched: its list may be too old")) {
            result = Command.run(folder, 900, command);
        }
        if (result.code() != 0) {
            throw new DebianException(
                    "debian-fetch",
                    String.join(" ", command) + (result.code() == 124 ? " took too long" : " failed") + ": "
                            + result.complaint(),
                    "check the network and bring the package lists up to date, " + UPDATE,
                    null);
        }
    }

    static DebianException unknown(String name, String more) {
        return new DebianException("debian-unknown", "apt knows no package " + name + more, UPDATE, null);
    }

    /** Brings the lists up to date if that has not been tried and this is root; else nothing. */
    private boolean updateOnce(String why) {
        if (updated || !"root".equals(System.getProperty("user.name"))) {
            return false;
        }
        updated = true;
        progress.accept(why + "; apt-get update");
        return Command.run(null, 300, List.of(tools + "apt-get", "-qq", "update"))
                        .code()
                == 0;
    }

    private void requireApt() {
        if (!tools.isEmpty() && Files.isExecutable(Path.of(tools, "apt-get"))) {
            return;
        }
        for (String folder :
                (tools.isEmpty() ? System.getenv().getOrDefault("PATH", "/usr/bin:/bin") : "/nowhere").split(":", -1)) {
            if (Files.isExecutable(Path.of(folder.isEmpty() ? "." : folder, "apt-get"))) {
                return;
            }
        }
        throw new DebianException(
                "debian-no-apt",
                "this system has no apt-get, which fetches Debian's kernels and busybox",
                "name files instead: a kernel (bzImage or vmlinux, such as /boot/vmlinuz-VERSION) and an initrd; or fill the"
                        + " cache folder on a Debian or Ubuntu machine and set JAVISOR_CACHE to a copy of it",
                null);
    }

    private static Map<String, Candidate> parse(String output) {
        Map<String, Candidate> found = new LinkedHashMap<>();
        for (String stanza : output.split("\n\n", -1)) {
            String name = "";
            String version = "";
            String depends = "";
            for (String line : stanza.lines().toList()) {
                if (line.startsWith("Package: ")) {
                    name = line.substring(9).strip();
                } else if (line.startsWith("Version: ")) {
                    version = line.substring(9).strip();
                } else if (line.startsWith("Depends: ")) {
                    depends = line.substring(9).strip();
                }
            }
            if (NAME.matcher(name).matches() && VERSION.matcher(version).matches()) {
                found.putIfAbsent(name, new Candidate(name, version, depends));
            }
        }
        return found;
    }
}
