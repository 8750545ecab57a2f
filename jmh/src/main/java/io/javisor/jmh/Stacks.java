package io.javisor.jmh;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Stacks that {@code perf script -F comm,ip,sym} prints, summed up as a tree; for threads whose name has a word in it. */
final class Stacks {
    private static final Pattern JAVA = Pattern.compile("(?:.* )?([\\w.$/<>]+\\.[\\w$<>]+)\\(.*");
    private static final Pattern BEGINNINGS =
            Pattern.compile("Interpreter|StubRoutines.*|JavaCalls::.*|JavaThread::.*|thread_entry|Thread::call_run"
                    + "|thread_native_entry|start_thread|clone3?|__GI___clone3?|_start|\\[unknown]");

    /** A function and those that it calls, by name. */
    static final class Node {
        private final Map<String, Node> callees = new TreeMap<>();
        private int samples;

        /** Those that it calls. */
        Map<String, Node> callees() {
            return callees;
        }

        /** Samples in it and below. */
        int samples() {
            return samples;
        }

        /** How many calls lie above each other, of functions with so many samples at least. */
        int depth(int least) {
            return 1
                    + callees.values().stream()
                            .filter(n -> n.samples >= least)
                            .mapToInt(n -> n.depth(least))
                            .max()
                            .orElse(0);
        }
    }

    private final Node root = new Node();
    private final Map<String, Integer> phases = new HashMap<>();

    private Stacks() {}

    static Stacks read(BufferedReader from, String thread) throws IOException {
        var stacks = new Stacks();
        var frames = new ArrayList<String>();
        boolean wanted = false;
        for (String line = from.readLine(); line != null; line = from.readLine()) {
            if (line.isEmpty()) {
                if (wanted && !frames.isEmpty()) {
                    stacks.add(frames.reversed());
                }
                frames.clear();
                wanted = false;
            } else if (!Character.isWhitespace(line.charAt(0))) {
                wanted = line.contains(thread);
            } else {
                String symbol = line.strip().replaceFirst("^[0-9a-f]+ *", "");
                frames.add(symbol.isEmpty() ? "[unknown]" : shortened(symbol));
            }
        }
        if (wanted && !frames.isEmpty()) {
            stacks.add(frames.reversed());
        }
        return stacks;
    }

    /** Java's symbols are whole signatures: class and method are enough. */
    private static String shortened(String symbol) {
        var java = JAVA.matcher(symbol);
        return java.matches() ? java.group(1).replaceFirst(".*[./](?=[^./]+\\.)", "") : symbol;
    }

    private void add(List<String> frames) {
        int first = 0;
        while (first < frames.size() - 1
                && BEGINNINGS.matcher(frames.get(first)).matches()) {
            first++;
        }
        root.samples++;
        Node at = root;
        for (String frame : frames.subList(first, frames.size())) {
            at = at.callees.computeIfAbsent(frame, _ -> new Node());
            at.samples++;
        }
        phases.merge(phase(frames), 1, Integer::sum);
    }

    /** What a stack was about, by the functions of Linux that are in it. */
    private static String phase(List<String> frames) {
        if (frames.contains("kvm_arch_vcpu_ioctl_run")) {
            if (has(frames, "x86_emulate_instruction")) {
                return "KVM emulates the instruction";
            }
            if (has(frames, "kvm_vcpu_halt") || has(frames, "kvm_vcpu_block")) {
                return "KVM halts the vCPU and wakes it";
            }
            if (has(frames, "vcpu_load") || has(frames, "vcpu_put") || has(frames, "kvm_arch_vcpu_put")) {
                return "KVM takes the vCPU and lets it go";
            }
            return "KVM enters the guest, the guest, KVM leaves it";
        }
        if (has(frames, "do_syscall_64") || has(frames, "entry_SYSCALL_64_after_hwframe")) {
            return "other work of the kernel's";
        }
        return "Java, the call of ioctl among it";
    }

    private static boolean has(List<String> frames, String start) {
        return frames.stream().anyMatch(f -> f.startsWith(start));
    }

    /** All samples. */
    Node root() {
        return root;
    }

    /** Samples by what they were about. */
    Map<String, Integer> phases() {
        return phases;
    }
}
