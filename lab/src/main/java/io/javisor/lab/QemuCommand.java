package io.javisor.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** QEMU's command line for a lab. */
final class QemuCommand {
    private static final long MIB = 1L << 20;

    private QemuCommand() {}

    /**
     * The whole command.
     *
     * @param sockets folder of the lab's sockets
     * @param slots how many commands can run at once
     */
    static List<String> of(QemuProgram program, LabSpec spec, HostImage image, Path sockets, int slots, Path console) {
        List<String> words = new ArrayList<>(program.words());
        // Emulated, so that it runs anywhere; a thread for each processor. Family 25, because generic kernels on AMD
        // family 15 scan PCI at length.
        add(words, "-machine", "pc", "-accel", "tcg,thread=multi,tb-size=2047");
        add(words, "-cpu", "max,+svm,family=25,model=1,stepping=1");
        add(words, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot");
        topology(words, spec);
        add(
                words,
                "-kernel",
                image.kernel().toString(),
                "-initrd",
                image.initramfs().toString());
        add(words, "-append", String.join(" ", commandLine(spec)));
        add(words, "-chardev", "file,id=console,path=" + escape(console), "-serial", "chardev:console");
        ports(words, sockets, slots);
        share(words, "lab-root", Path.of("/"), ",readonly=on");
        for (int i = 0; i < spec.writable().size(); i++) {
            share(words, writableTag(i), spec.writable().get(i), "");
        }
        words.addAll(spec.qemuOptions());
        return words;
    }

    /** The 9p tag of a writable folder. */
    static String writableTag(int index) {
        return "lab-writable-" + index;
    }

    private static List<String> commandLine(LabSpec spec) {
        // tsc=reliable: without a master clock KVM gives its guests no valid reference TSC page. A panic or an oops
        // ends QEMU
        // (-no-reboot), with its reason on the console.
        List<String> line = new ArrayList<>(
                List.of("console=ttyS0", "quiet", "panic=-1", "oops=panic", "mitigations=off", "tsc=reliable"));
        line.addAll(spec.kernelArguments());
        return line;
    }

    private static void topology(List<String> words, LabSpec spec) {
        int nodes = spec.nodes();
        int cpus = spec.vcpus();
        // One more than asked for, which runs no guest (see the agent). A socket each, for one that spans nodes earns a
        // warning from the kernel's scheduler.
        add(words, "-smp", 1 + cpus + ",sockets=" + (1 + cpus) + ",cores=1,threads=1");
        add(words, "-m", spec.memoryPerNode() / MIB * nodes + "M");
        for (int node = 0; node < nodes; node++) {
            add(words, "-object", "memory-backend-ram,id=node" + node + ",size=" + spec.memoryPerNode() / MIB + "M");
            StringBuilder numa = new StringBuilder("node,nodeid=" + node + ",memdev=node" + node);
            if (node == 0) {
                numa.append(",cpus=0");
            }
            for (int cpu = 0; cpu < cpus; cpu++) {
                if (cpu * nodes / cpus == node) {
                    numa.append(",cpus=").append(1 + cpu);
                }
            }
            add(words, "-numa", numa.toString());
        }
    }

    private static void ports(List<String> words, Path sockets, int slots) {
        add(words, "-device", "virtio-serial-pci,id=lab-ports,max_ports=" + (2 + 3 * slots));
        port(words, sockets, "control", "");
        for (int slot = 0; slot < slots; slot++) {
            for (String stream : new String[] {"in", "out", "err"}) {
                port(words, sockets, stream + "." + slot, ",server=on,wait=off");
            }
        }
    }

    private static void port(List<String> words, Path sockets, String name, String options) {
        String id = "lab-" + name.replace('.', '-');
        add(words, "-chardev", "socket,id=" + id + ",path=" + escape(sockets.resolve(name)) + options);
        add(words, "-device", "virtserialport,bus=lab-ports.0,chardev=" + id + ",name=lab." + name);
    }

    private static void share(List<String> words, String tag, Path folder, String options) {
        add(
                words,
                "-fsdev",
                "local,id=" + tag + ",path=" + escape(folder) + ",security_model=none,multidevs=remap" + options);
        add(words, "-device", "virtio-9p-pci,fsdev=" + tag + ",mount_tag=" + tag);
    }

    /** A comma in a value is written twice. */
    private static String escape(Path path) {
        return path.toString().replace(",", ",,");
    }

    private static void add(List<String> words, String... more) {
        words.addAll(List.of(more));
    }
}
