package io.javisor.api;

import io.javisor.kvm.partition.CpuModel;
import io.javisor.kvm.partition.CpuOption;
import java.util.EnumSet;
import java.util.Set;

/**
 * What processors a guest sees.
 *
 * @param model which features they have
 * @param options what they have only if asked for
 */
public record CpuSpec(CpuModel model, Set<CpuOption> options) {
    /** The host's processor without nested virtualization and performance counters. */
    public static final CpuSpec HOST = new CpuSpec(CpuModel.HOST, Set.of());

    /** Copies the set. */
    public CpuSpec {
        options = Set.copyOf(options);
    }

    /**
     * Reads what people write: a model, and options after it, {@code x86-64-v3,nested,pmu}.
     *
     * @throws IllegalArgumentException if it is something else; the message lists what is possible
     */
    public static CpuSpec parse(String text) {
        String[] parts = text.split(",", -1);
        CpuModel model = CpuModel.of(parts[0]).orElseThrow(() -> unknown(text));
        var options = EnumSet.noneOf(CpuOption.class);
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i];
            options.add(EnumSet.allOf(CpuOption.class).stream()
                    .filter(o -> o.text().equals(part))
                    .findFirst()
                    .orElseThrow(() -> unknown(text)));
        }
        return new CpuSpec(model, options);
    }

    private static IllegalArgumentException unknown(String text) {
        return new IllegalArgumentException("not a processor: \"" + text
                + "\": host, x86-64-v2, x86-64-v3 or x86-64-v4, and maybe ,nested, ,pmu or ,cold-pages after it");
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        var text = new StringBuilder(model.text());
        EnumSet.allOf(CpuOption.class).stream()
                .filter(options::contains)
                .forEach(o -> text.append(',').append(o.text()));
        return text.toString();
    }
}
