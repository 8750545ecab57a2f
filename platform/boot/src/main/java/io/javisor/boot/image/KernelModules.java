package io.javisor.boot.image;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A kernel's module tree ({@code /lib/modules/VERSION}), as its package unpacks it: {@code depmod} need not have run. It finds
 * modules by name ({@code -} and {@code _} are the same) or by alias, and puts them with all that they need into an order in which
 * {@code insmod} loads them. Immutable but for what it remembers of modules it has read; for one thread at a time.
 */
public final class KernelModules {
    /**
     * What a guest of Javisor loads, where its kernel has it as a module: the VMBus with its devices, and the power button with
     * the input device by which userland hears of it.
     */
    public static final List<String> GUEST = List.of(
            "button", "evdev", "hv_vmbus", "hv_utils", "hv_storvsc", "hv_netvsc", "hv_balloon", "vsock", "hv_sock");

    private static final Pattern MODULE_FILE = Pattern.compile("([^/]{1,200})\\.ko(\\.xz|\\.gz|\\.zst)?");
    private static final int MAX_FILES = 100_000;
    private static final int MAX_LIST = 16 << 20;

    private final Path tree;
    private final String version;
    private final Map<String, Path> files;
    private final Set<String> builtIn;
    private final Map<String, Read> read = new HashMap<>();
    private @Nullable Map<String, String> aliases;

    private record Read(ModuleInfo info, long size) {}

    private KernelModules(Path tree, Map<String, Path> files, Set<String> builtIn) {
        this.tree = tree;
        this.version = tree.getFileName().toString();
        this.files = files;
        this.builtIn = builtIn;
    }

    /**
     * Reads the names of a tree's modules; no module is opened yet.
     *
     * @param tree a folder named like the kernel's version, with {@code kernel/} and {@code modules.builtin} in it
     * @return the tree
     * @throws ImageException if it is not such a folder
     */
    public static KernelModules open(Path tree) {
        Path absolute = tree.toAbsolutePath().normalize();
        if (!Files.isDirectory(absolute.resolve("kernel")) || absolute.getFileName() == null) {
            throw new ImageException(
                    "image-missing",
                    tree + " holds no kernel modules (no folder \"kernel\" in it)",
                    "name a folder such as /lib/modules/6.1.0-50-cloud-amd64");
        }
        Map<String, Path> files = new TreeMap<>();
        try {
            Files.walkFileTree(absolute, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    Matcher matcher = MODULE_FILE.matcher(file.getFileName().toString());
                    if (matcher.matches() && attributes.isRegularFile()) {
                        files.putIfAbsent(ModuleInfo.normalize(matcher.group(1)), file);
                        if (files.size() > MAX_FILES) {
                            throw new ImageException(
                                    "image-limit", tree + " holds more than " + MAX_FILES + " modules", null);
                        }
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw ImageException.io("cannot read the modules in " + tree, e);
        }
        Set<String> builtIn = new HashSet<>();
        for (String line : lines(absolute.resolve("modules.builtin"))) {
            Matcher matcher = MODULE_FILE.matcher(line.substring(line.lastIndexOf('/') + 1));
            if (matcher.matches()) {
                builtIn.add(ModuleInfo.normalize(matcher.group(1)));
            }
        }
        return new KernelModules(absolute, files, builtIn);
    }

    /** The kernel's version, as {@code uname -r} gives it in the guest. */
    public String version() {
        return version;
    }

    /**
     * Whether the kernel has this as a module.
     *
     * @param name with {@code -} or {@code _}
     * @return false too if it is built in
     */
    public boolean isModule(String name) {
        return files.containsKey(ModuleInfo.normalize(name));
    }

    /**
     * Whether this is part of the kernel itself.
     *
     * @param name with {@code -} or {@code _}
     * @return whether {@code modules.builtin} names it
     */
    public boolean isBuiltIn(String name) {
        return builtIn.contains(ModuleInfo.normalize(name));
    }

    /**
     * The modules that a guest of Javisor loads ({@link #GUEST}), of those that this kernel has, with all that they need.
     *
     * @return in loading order
     * @throws ImageException if a module is damaged or what it needs is missing
     */
    public List<KernelModule> forGuest() {
        return resolve(GUEST.stream().filter(this::isModule).toList());
    }

    /**
     * These modules and all that they need, each once, in an order in which they can be loaded. What is built in is left out.
     *
     * @param names names or aliases
     * @return in loading order
     * @throws ImageException if any is neither a module nor built in, naming all of those; or if a module is damaged
     */
    public List<KernelModule> resolve(Collection<String> names) {
        Map<String, KernelModule> order = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (String name : names) {
            add(name, "", order, new HashSet<>(), missing, 0);
        }
        if (!missing.isEmpty()) {
            throw new ImageException(
                    "image-missing",
                    "the kernel " + version + " has neither as modules nor built in: " + String.join(", ", missing),
                    "look in " + tree + ", or use a kernel that has them (cloud kernels leave out most hardware)");
        }
        return List.copyOf(order.values());
    }

    /** Adds a module after all that it needs; returns the names it stands for, empty if that is built in. */
    private List<String> add(
            String wanted,
            String by,
            Map<String, KernelModule> order,
            Set<String> path,
            List<String> missing,
            int depth) {
        String name = name(wanted);
        if (order.containsKey(name)) {
            return List.of(name);
        }
        if (!files.containsKey(name)) {
            if (!builtIn.contains(name)) {
                missing.add(wanted + by);
            }
            return List.of();
        }
        if (!path.add(name) || depth > 100) {
            throw new ImageException("image-module", "kernel modules need each other in a circle: " + path, null);
        }
        Read module = read(name);
        List<String> needs = new ArrayList<>();
        for (String soft : module.info.softBefore()) {
            String target = name(soft);
            if (files.containsKey(target) && !path.contains(target)) { // soft: may be missing, and may be mutual
                add(soft, "", order, path, new ArrayList<>(), depth + 1);
            }
        }
        for (String depend : module.info.depends()) {
            needs.addAll(add(depend, " (needed by " + name + ")", order, path, missing, depth + 1));
        }
        path.remove(name);
        Path file = files.getOrDefault(name, tree);
        String relative = tree.relativize(file).toString();
        String guestPath = "lib/modules/" + version + "/" + relative.substring(0, relative.lastIndexOf(".ko") + 3);
        order.put(name, new KernelModule(name, file, guestPath, module.size, module.info, needs));
        return List.of(name);
    }

    private Read read(String name) {
        return read.computeIfAbsent(name, n -> {
            Path file = files.getOrDefault(n, tree);
            byte[] bytes = KernelModule.read(file);
            return new Read(ModuleInfo.parse(file.toString(), bytes), bytes.length);
        });
    }

    /** The module or built-in that a name or alias stands for; the name itself if nothing is known of it. */
    private String name(String wanted) {
        String name = ModuleInfo.normalize(wanted);
        if (files.containsKey(name) || builtIn.contains(name)) {
            return name;
        }
        return ModuleInfo.normalize(aliases().getOrDefault(wanted, name));
    }

    /** Plain aliases (without wildcards), from depmod's list if it has run, else from the modules themselves. */
    private Map<String, String> aliases() {
        Map<String, String> known = aliases;
        if (known == null) {
            known = new HashMap<>();
            for (String text : builtInInfo()) {
                int equals = text.indexOf(".alias=");
                if (equals > 0) {
                    known.putIfAbsent(text.substring(equals + 7), text.substring(0, equals));
                }
            }
            Path list = tree.resolve("modules.alias");
            if (Files.isRegularFile(list)) {
                for (String line : lines(list)) {
                    String[] words = line.split(" ", -1);
                    if (words.length == 3 && words[0].equals("alias")) {
                        known.putIfAbsent(words[1], words[2]);
                    }
                }
            } else {
                for (String name : files.keySet()) {
                    for (String alias : read(name).info.aliases()) {
                        known.putIfAbsent(alias, name);
                    }
                }
            }
            aliases = known;
        }
        return known;
    }

    private List<String> builtInInfo() {
        return List.of(text(tree.resolve("modules.builtin.modinfo")).split("\0", -1));
    }

    private static List<String> lines(Path file) {
        return text(file).lines().toList();
    }

    /** A list of the tree; empty if it is not there. */
    private static String text(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                return "";
            }
            if (Files.size(file) > MAX_LIST) {
                throw new ImageException("image-limit", file + " is larger than " + MAX_LIST + " bytes", null);
            }
            return Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw ImageException.io("cannot read " + file, e);
        }
    }
}
