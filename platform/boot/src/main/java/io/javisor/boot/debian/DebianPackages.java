package io.javisor.boot.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Debian's packages, unpacked in a cache folder, never installed. The first use of a name asks apt and fetches (seconds, and the
 * network); every later one is answered from the folder (milliseconds, no program, no network), until {@link #refresh}.
 * Works on Debian and Ubuntu with apt, without root. Safe for any number of threads and processes over one folder.
 */
public final class DebianPackages {
    /** Names of kernels as {@link #kernel} takes them: 6.1, 6.12-cloud. */
    private static final Pattern SERIES = Pattern.compile("([0-9]{1,3}\\.[0-9]{1,4})(-cloud)?");

    private static final Pattern DEPENDENCY = Pattern.compile("[a-z0-9][a-z0-9+.-]+");

    private final PackageCache cache;
    private final Path folder;
    private final Consumer<String> progress;

    private final String tools;

    /** With apt's programs from a folder; empty for those on the PATH. */
    DebianPackages(Path folder, Consumer<String> progress, String tools) {
        this.folder = folder;
        this.tools = tools;
        this.progress = progress;
        this.cache = new PackageCache(folder.resolve("debian"));
    }

    /**
     * The packages in the user's cache folder: {@code $JAVISOR_CACHE}, else {@code $XDG_CACHE_HOME/javisor}, else
     * {@code ~/.cache/javisor}. Nothing is made or fetched yet.
     *
     * @return the packages
     */
    public static DebianPackages open() {
        return open(defaultFolder(System.getenv(), System.getProperty("user.home", "/")), line -> {});
    }

    /**
     * The packages in a cache folder of one's own. Nothing is made or fetched yet.
     *
     * @param folder made when something is fetched
     * @param progress told in a short line each what takes time: fetching, unpacking
     * @return the packages
     */
    public static DebianPackages open(Path folder, Consumer<String> progress) {
        return new DebianPackages(folder.toAbsolutePath().normalize(), progress, "");
    }

    /**
     * The same packages with progress told.
     *
     * @param listener told in a short line each what takes time: fetching, unpacking
     * @return packages over the same folder
     */
    public DebianPackages progress(Consumer<String> listener) {
        return new DebianPackages(folder, listener, tools);
    }

    /** The cache folder. */
    public Path folder() {
        return folder;
    }

    /**
     * A stock kernel: {@code 6.1}, {@code 6.1-cloud}, {@code 6.12}, {@code 6.12-cloud} for the newest of that series that apt's lists
     * have, {@code cloud} and {@code generic} for the distribution's default, or the exact name of a package
     * ({@code linux-image-...}).
     *
     * @param name which
     * @return the kernel in the cache
     * @throws DebianException if apt does not know or cannot fetch it, or this is no Debian
     */
    public DebianKernel kernel(String name) {
        if (!SERIES.matcher(name).matches()
                && !name.equals("cloud")
                && !name.equals("generic")
                && !name.startsWith("linux-image-")) {
            throw new DebianException(
                    "debian-unknown",
                    "\"" + name + "\" names no kernel",
                    "use 6.1, 6.1-cloud, 6.12, 6.12-cloud, cloud, generic, or a package's name such as linux-image-cloud-amd64",
                    null);
        }
        Apt.checkName(name);
        String key = "kernel-" + name;
        List<String> known = cache.lookUp(key);
        if (known == null) {
            known = cache.locked(() -> {
                List<String> other = cache.lookUp(key); // made by another process meanwhile
                return other != null ? other : fetchKernel(name, key);
            });
        }
        return describe(name, known);
    }

    /**
     * Lets {@code modprobe} find a kernel's modules: makes {@code modules.dep} and its kin in the modules' folder, unless they are
     * there already.
     *
     * @param kernel of these packages
     * @throws DebianException if the folder can't be written, or this system has neither kmod nor a static busybox to be had
     */
    public void indexModules(DebianKernel kernel) {
        Path modules = kernel.modulesFolder();
        if (ModuleIndex.isThere(modules)) {
            return;
        }
        Path busybox = busybox();
        cache.locked(() -> {
            if (!ModuleIndex.isThere(modules)) {
                ModuleIndex.of(modules, busybox);
            }
            return modules;
        });
    }

    /**
     * Unpacks packages with all that they depend on (recommended packages left out) into one folder, as if it were a root of its own.
     * Maintainer scripts do not run.
     *
     * @param packages names of packages, such as {@code numactl}
     * @return the folder; read it, don't change it
     * @throws DebianException if apt does not know or cannot fetch one, or this is no Debian
     */
    public Path unpack(String... packages) {
        return unpack("with-", List.of(packages), Apt::closure);
    }

    /**
     * Unpacks packages alone, without what they depend on.
     *
     * @param packages names of packages, such as {@code busybox-static}
     * @return the folder; read it, don't change it
     * @throws DebianException if apt does not know or cannot fetch one, or this is no Debian
     */
    public Path unpackAlone(String... packages) {
        return unpack("alone-", List.of(packages), Apt::alone);
    }

    /**
     * Unpacks packages of a newer release that were built for this one (Debian's backports), without what they depend on. Apt's
     * own configuration need not know of backports, and does not learn of them.
     *
     * @param packages names of packages, such as {@code qemu-system-x86}
     * @return the folder; read it, don't change it
     * @throws DebianException if there are no backports for this system, or a package is not among them, or cannot be fetched
     */
    public Path unpackBackports(String... packages) {
        return unpack(
                "backports-", List.of(packages), Apt::alone, apt -> apt.backports(folder.resolve("debian/backports")));
    }

    /**
     * A static busybox: the system's own {@code /bin/busybox} if it is static, else that of the package busybox-static.
     *
     * @return the program's file
     * @throws DebianException if neither is to be had
     */
    public Path busybox() {
        Path own = Path.of("/bin/busybox");
        if (StaticElf.isStatic(own)) {
            return own;
        }
        Path root = unpackAlone("busybox-static");
        for (String path : List.of("bin/busybox", "usr/bin/busybox")) {
            if (StaticElf.isStatic(root.resolve(path))) {
                return root.resolve(path);
            }
        }
        throw new DebianException("debian-package", "the package busybox-static holds no static busybox", null, null);
    }

    /**
     * Forgets what names stand for, so that the next use of each asks apt for the newest. What is unpacked stays for those who use
     * it now.
     */
    public void refresh() {
        cache.forgetNames();
    }

    static Path defaultFolder(Map<String, String> environment, String home) {
        String own = environment.getOrDefault("JAVISOR_CACHE", "");
        if (!own.isEmpty()) {
            return Path.of(own);
        }
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        return xdg.startsWith("/")
                ? Path.of(xdg, "javisor")
                : Path.of(home, ".cache", "javisor"); // relative: to be ignored
    }

    private Path unpack(String kind, List<String> packages, BiFunction<Apt, List<String>, List<Apt.Candidate>> choice) {
        return unpack(kind, packages, choice, apt -> apt);
    }

    private Path unpack(
            String kind,
            List<String> packages,
            BiFunction<Apt, List<String>, List<Apt.Candidate>> choice,
            UnaryOperator<Apt> source) {
        if (packages.isEmpty()) {
            throw new IllegalArgumentException("no package named");
        }
        List<String> names = List.copyOf(new TreeSet<>(packages));
        names.forEach(Apt::checkName);
        String key = kind + shorten(String.join(",", names));
        List<String> known = cache.lookUp(key);
        if (known == null) {
            known = cache.locked(() -> {
                List<String> other = cache.lookUp(key);
                if (other != null) {
                    return other;
                }
                Apt apt = source.apply(new Apt(tools, progress));
                List<Apt.Candidate> all = choice.apply(apt, names);
                String tree = kind
                        + shorten(String.join(
                                ",", all.stream().map(Apt.Candidate::folder).toList()));
                cache.make(tree, all, apt, progress);
                List<String> made = List.of(tree);
                cache.remember(key, made);
                return made;
            });
        }
        return cache.tree(known.getFirst());
    }

    private List<String> fetchKernel(String name, String key) {
        Apt apt = new Apt(tools, progress);
        Apt.Candidate image = image(name, apt);
        List<Apt.Candidate> packages = new ArrayList<>(List.of(image));
        for (String dependency : dependencies(image)) { // Ubuntu keeps modules in packages of their own
            if (dependency.startsWith("linux-modules-")) {
                packages.add(apt.candidate(dependency));
            }
        }
        cache.make(image.folder(), packages, apt, progress);
        List<String> lines = List.of(image.folder(), image.name(), image.version());
        describe(name, lines);
        cache.remember(key, lines);
        return lines;
    }

    /** The package that holds the kernel itself: follows meta-packages. */
    private static Apt.Candidate image(String name, Apt apt) {
        Apt.Candidate candidate = first(name, apt);
        for (int i = 0; i < 4; i++) {
            String next = dependencies(candidate).stream()
                    .filter(d -> d.startsWith("linux-image-"))
                    .findFirst()
                    .orElse("");
            if (next.isEmpty()) {
                return candidate;
            }
            candidate = apt.candidate(next);
        }
        throw new DebianException("debian-package", "the packages of kernel " + name + " lead in a circle", null, null);
    }

    private static Apt.Candidate first(String name, Apt apt) {
        Matcher series = SERIES.matcher(name);
        List<String> wanted;
        Predicate<Apt.Candidate> fits = _ -> true;
        if (series.matches()) {
            String flavour = series.group(2) == null ? "-amd64" : "-cloud-amd64";
            String version = series.group(1);
            wanted = List.of("linux-image-" + version + flavour, "linux-image" + flavour);
            fits = c -> c.version().startsWith(version + ".");
        } else if (name.equals("cloud")) {
            wanted = List.of("linux-image-cloud-amd64", "linux-image-kvm", "linux-image-virtual");
        } else if (name.equals("generic")) {
            wanted = List.of("linux-image-amd64", "linux-image-generic");
        } else {
            wanted = List.of(name);
        }
        Apt.Candidate known = apt.first(wanted, fits);
        if (known != null) {
            return known;
        }
        List<String> there = apt.namesBeginningWith("linux-image-").stream()
                .filter(n -> !n.endsWith("-dbg") && !n.endsWith("-unsigned") && n.length() < 30)
                .toList();
        throw Apt.unknown(
                "for the kernel " + name + " (looked for " + String.join(", ", wanted) + ")",
                "; it knows " + (there.isEmpty() ? "none" : String.join(", ", there)));
    }

    /** Names of the packages that this one depends on; of alternatives the first. */
    private static List<String> dependencies(Apt.Candidate candidate) {
        List<String> names = new ArrayList<>();
        for (String dependency : candidate.depends().split(",", -1)) {
            Matcher matcher = DEPENDENCY.matcher(dependency.strip());
            if (matcher.lookingAt()) {
                names.add(matcher.group());
            }
        }
        return names;
    }

    private DebianKernel describe(String name, List<String> lines) {
        Path root = cache.tree(lines.getFirst());
        if (lines.size() < 3) {
            throw new DebianException(
                    "debian-cache", "the cache's note on the kernel " + name + " is damaged", "remove " + folder, null);
        }
        Path image = only(root.resolve("boot"), "vmlinuz-");
        Path modules = only(root.resolve("lib/modules"), "");
        if (modules == null) {
            modules = only(root.resolve("usr/lib/modules"), "");
        }
        if (image == null || modules == null) {
            throw new DebianException(
                    "debian-package",
                    "the package " + lines.get(1) + " holds no " + (image == null ? "boot/vmlinuz" : "lib/modules")
                            + " (unpacked in " + root + ")",
                    "name the package that holds the kernel itself",
                    null);
        }
        return new DebianKernel(
                name, lines.get(1), lines.get(2), modules.getFileName().toString(), image, modules);
    }

    private static @Nullable Path only(Path folder, String prefix) {
        if (!Files.isDirectory(folder)) {
            return null;
        }
        try (var list = Files.list(folder)) {
            return list.filter(p -> p.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .findFirst()
                    .orElse(null);
        } catch (IOException e) {
            throw PackageCache.failed("cannot read " + folder, e);
        }
    }

    /** A name for a file: as it is if short, else cut and told apart by a digest. */
    private static String shorten(String text) {
        if (text.length() <= 100) {
            return text;
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return text.substring(0, 60) + "-" + HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }
}
