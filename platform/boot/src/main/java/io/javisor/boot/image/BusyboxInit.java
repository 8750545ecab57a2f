package io.javisor.boot.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A small userland for a guest: static busybox with all its commands, and an {@code /init} that mounts what programs
 * expect, loads kernel modules, gives the host a shell on a serial port and the {@link GuestAgent}, heeds the power button, and
 * runs a main program (or a shell on the console). When that ends, so does the machine. An immutable description.
 *
 * <pre>{@code
 * Initramfs image = BusyboxInit.of(b -> b
 *                 .busybox(Path.of("/bin/busybox"))
 *                 .modules(KernelModules.open(Path.of("/lib/modules/6.1.0-50-cloud-amd64")).forGuest())
 *                 .init("cat /proc/cmdline"))
 *         .initramfs();
 * }</pre>
 *
 * <p>The kernel's command line overrides the description: {@code javisor.init="COMMAND"} (run by {@code sh -c}; the double
 * quotes are needed if it has blanks), {@code javisor.end=poweroff|reboot|halt}; {@code javisor.dhcp=MAC,MAC} configures adapters
 * by DHCP; {@code MODULE.PARAMETER=VALUE} reaches the
 * modules that are loaded here.
 *
 * <p>The console tells {@code javisor: up, Linux VERSION after SECONDS s} when the guest is up, {@code javisor: modules not loaded:
 * NAME (REASON) NAME ...} before it if any were not (without a VMBus that is {@code hv_vmbus} and what needs it), and
 * {@code javisor: the main program ended with CODE} when a main program has ended.
 */
public final class BusyboxInit {
    /** What follows when the main program has ended. */
    public enum End {
        /** The machine powers off. */
        POWEROFF("poweroff"),
        /** The machine restarts. */
        REBOOT("reboot"),
        /** The processors stop; the machine stays. */
        HALT("halt");

        private final String command;

        End(String command) {
            this.command = command;
        }
    }

    private static final Pattern PORT = Pattern.compile("tty[A-Za-z]{0,8}[0-9]{1,3}|hvc[0-9]{1,2}");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.-]{0,63}"); // __NEW_UTS_LEN
    private static final String MARKER = "javisor: up, ";

    private final Path busybox;
    private final List<KernelModule> modules;
    private final Map<String, String> parameters;
    private final String init;
    private final End end;
    private final String port;
    private final String hostName;
    private final Consumer<Initramfs.Builder> more;

    private BusyboxInit(Builder builder) {
        Path program = builder.busybox;
        if (program == null) {
            throw new ImageException(
                    "image-missing", "no busybox was named", "name a static busybox: /bin/busybox of busybox-static");
        }
        this.busybox = program;
        this.modules = List.copyOf(builder.modules);
        this.parameters = Map.copyOf(builder.parameters);
        this.init = builder.init;
        this.end = builder.end;
        this.port = builder.port;
        this.hostName = builder.hostName;
        this.more = builder.more;
        Set<String> names = new HashSet<>();
        modules.forEach(m -> names.add(m.name()));
        for (String name : parameters.keySet()) {
            if (!names.contains(name)) {
                throw new ImageException(
                        "image-missing",
                        "parameters are given for the module " + name + ", which is not loaded",
                        "add the module");
            }
        }
    }

    /**
     * Describes a userland.
     *
     * @param spec told what is in it
     * @return the description
     * @throws ImageException if no busybox is named
     */
    public static BusyboxInit of(Consumer<Builder> spec) {
        Builder builder = new Builder();
        spec.accept(builder);
        return new BusyboxInit(builder);
    }

    /** What the console's line begins with when the guest is up: {@code "javisor: up, "}. */
    public static String marker() {
        return MARKER;
    }

    /** What changes whenever the programs in the image do; for those who keep built images. */
    public static String fingerprint() {
        CRC32C sum = new CRC32C();
        for (String script : List.of("init.sh", "shell.sh", "end.sh", "udhcpc.sh")) {
            sum.update(resource(script).getBytes(StandardCharsets.UTF_8));
        }
        sum.update(GuestAgent.elf());
        return Long.toHexString(sum.getValue());
    }

    /**
     * The whole image.
     *
     * @return a description that can be written
     * @throws ImageException if busybox cannot be run on the host to ask for its commands
     */
    public Initramfs initramfs() {
        List<String> commands = Busybox.commands(busybox);
        return Initramfs.of(image -> {
            for (String folder : List.of(
                    "bin",
                    "sbin",
                    "usr/bin",
                    "usr/sbin",
                    "proc",
                    "sys",
                    "mnt",
                    "run",
                    "var/log",
                    "etc/acpi/PWRF",
                    "etc/javisor")) {
                image.folder(folder);
            }
            image.folder("root", 0700).folder("tmp", 01777).console();
            image.executable("bin/busybox", busybox);
            for (String command : commands) {
                image.symlink(command, "/bin/busybox");
            }
            String ending = resource("end.sh");
            for (End each : End.values()) {
                image.script("sbin/" + each.command, ending);
            }
            image.script("init", resource("init.sh"));
            image.script("etc/javisor/shell", resource("shell.sh"));
            image.file(GuestAgent.PATH, GuestAgent.elf(), 0755);
            image.script("etc/javisor/udhcpc", resource("udhcpc.sh"));
            image.script(
                    "etc/acpi/PWRF/00000080",
                    "#!/bin/sh\nexec /sbin/poweroff\n"); // busybox acpid's name of the power key
            image.text(
                    "etc/javisor/defaults",
                    "init=" + quote(init) + "\nend=" + end.command + "\nport=" + port + "\nhost=" + hostName + "\n");
            image.text("etc/javisor/modules", moduleList());
            image.text("etc/fstab", """
                    proc /proc proc nosuid,nodev,noexec 0 0
                    sys /sys sysfs nosuid,nodev,noexec 0 0
                    pts /dev/pts devpts mode=620,ptmxmode=666 0 0
                    shm /dev/shm tmpfs nosuid,nodev,mode=1777 0 0
                    run /run tmpfs nosuid,nodev,mode=755 0 0
                    tmp /tmp tmpfs nosuid,nodev,mode=1777 0 0
                    """);
            image.text("etc/passwd", "root::0:0:root:/root:/bin/sh\n");
            image.text("etc/group", "root:x:0:\ntty:x:5:\n");
            image.modules(modules);
            more.accept(image);
        });
    }

    private String moduleList() {
        StringBuilder list = new StringBuilder();
        for (KernelModule module : modules) {
            String needs = module.needs().isEmpty() ? "-" : String.join(",", module.needs());
            String given = parameters.getOrDefault(module.name(), "");
            list.append(module.name())
                    .append(" /")
                    .append(module.guestPath())
                    .append(' ')
                    .append(needs)
                    .append(given.isEmpty() ? "" : " " + given)
                    .append('\n');
        }
        return list.toString();
    }

    private static String quote(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    private static String resource(String name) {
        try (InputStream in = BusyboxInit.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw ImageException.io("cannot read " + name + " from this jar", e);
        }
    }

    /** Collects what a {@link BusyboxInit} holds. For one thread. */
    public static final class Builder {
        private @Nullable Path busybox;
        private final List<KernelModule> modules = new ArrayList<>();
        private final Map<String, String> parameters = new TreeMap<>();
        private String init = "";
        private End end = End.POWEROFF;
        private String port = "ttyS1";
        private String hostName = "javisor";
        private Consumer<Initramfs.Builder> more = image -> {};

        private Builder() {}

        /**
         * The busybox; required.
         *
         * @param program a static x86-64 busybox, which is also run on the host to list its commands
         * @return this
         */
        public Builder busybox(Path program) {
            busybox = program;
            return this;
        }

        /**
         * Adds modules to load, in the order given.
         *
         * @param loadingOrder what {@link KernelModules#resolve} or {@link KernelModules#forGuest} gave
         * @return this
         */
        public Builder modules(List<KernelModule> loadingOrder) {
            Set<String> known = new HashSet<>();
            modules.forEach(m -> known.add(m.name()));
            loadingOrder.stream().filter(m -> known.add(m.name())).forEach(modules::add);
            return this;
        }

        /**
         * Parameters for a module that is loaded; the kernel's command line can add more.
         *
         * @param module its name
         * @param text as for insmod: {@code name=value name=value}
         * @return this
         */
        public Builder parameters(String module, String text) {
            if (text.indexOf('\n') >= 0) {
                throw new IllegalArgumentException("parameters are one line: " + text);
            }
            parameters.put(ModuleInfo.normalize(module), text);
            return this;
        }

        /**
         * The main program; if not called, a shell on the console.
         *
         * @param command run by {@code sh -c}
         * @return this
         */
        public Builder init(String command) {
            if (command.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("a command holds no NUL");
            }
            init = command;
            return this;
        }

        /**
         * What follows the main program; {@link End#POWEROFF} if not called.
         *
         * @param what the machine does
         * @return this
         */
        public Builder end(End what) {
            end = what;
            return this;
        }

        /**
         * The serial port with the host's shell; {@code ttyS1} if not called.
         *
         * @param tty its name in {@code /dev}; empty for none
         * @return this
         */
        public Builder shellOn(String tty) {
            if (!tty.isEmpty() && !PORT.matcher(tty).matches()) {
                throw new IllegalArgumentException("not the name of a serial port: " + tty);
            }
            port = tty;
            return this;
        }

        /**
         * The guest's host name; {@code javisor} if not called.
         *
         * @param name letters, digits, dots and dashes, at most 64
         * @return this
         */
        public Builder hostName(String name) {
            if (!HOST.matcher(name).matches()) {
                throw new IllegalArgumentException("not a host name: " + name);
            }
            hostName = name;
            return this;
        }

        /**
         * More files for the image, which may replace those that are there.
         *
         * @param spec told after all else; called each time {@link BusyboxInit#initramfs} is
         * @return this
         */
        public Builder files(Consumer<Initramfs.Builder> spec) {
            more = more.andThen(spec);
            return this;
        }
    }
}
