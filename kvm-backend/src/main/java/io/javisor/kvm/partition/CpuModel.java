package io.javisor.kvm.partition;

import io.javisor.kvm.CpuidEntry;
import io.javisor.partition.HypervisorException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What processor a guest sees: all that the host's has, or a baseline, so that a guest that was saved on one host finds the same
 * features on others. The baselines are the levels of the x86-64 psABI (3.1.1, "Micro-Architecture Levels"). With one, the guest
 * has
 *
 * <ul>
 *   <li>all features of the level, or is not created: a host that lacks one is refused, with the feature's name
 *   <li>no instruction-set extension beyond the level
 *   <li>as far as the host has them: features that only kernels use (as PCID, SMEP, SMAP, x2APIC, 1 GiB pages), and those that
 *       tell of protection against speculation, which a guest can't do without on processors that need it
 *   <li>the host's vendor, family, model and stepping, cache sizes and address widths
 * </ul>
 *
 * <p>Leaves that are neither for features of the level nor for these are empty: power and thermal management, RDT, SGX, processor
 * trace, AMX, key locker, encryption of memory. XSAVE has x87, SSE and AVX components with v3, those of AVX-512 too with v4;
 * with v2 there is none.
 */
public enum CpuModel {
    /** All that the host's KVM can give. */
    HOST("host", 0),
    /** SSE4.2, POPCNT, CMPXCHG16B: processors from about 2009 on. */
    X86_64_V2("x86-64-v2", 2),
    /** AVX2, BMI, FMA, MOVBE: from about 2013 (Intel) and 2015 (AMD) on. */
    X86_64_V3("x86-64-v3", 3),
    /** AVX-512 F, BW, CD, DQ and VL: servers from 2017 (Intel) and 2022 (AMD) on. */
    X86_64_V4("x86-64-v4", 4);

    private final String text;
    private final int level;

    CpuModel(String text, int level) {
        this.text = text;
        this.level = level;
    }

    /** The name that people write: {@code host}, {@code x86-64-v3}. */
    public String text() {
        return text;
    }

    /** The model of this name, if there is one. */
    public static Optional<CpuModel> of(String text) {
        return Arrays.stream(values()).filter(m -> m.text.equals(text)).findFirst();
    }

    /** Those features of the level that a host lacks; none for {@link #HOST}. Pure. */
    public List<String> lacking(List<CpuidEntry> host) {
        var missing = new ArrayList<String>();
        for (CpuFeature feature : CpuFeature.REQUIRED) {
            if (feature.level() <= level && !feature.isIn(host)) {
                missing.add(feature.name());
            }
        }
        return missing;
    }

    /**
     * The leaves that a guest of this model sees. Pure.
     *
     * @param host what the host can give
     * @throws HypervisorException code {@code cpu-model} if the host lacks a feature of the level
     */
    public List<CpuidEntry> of(List<CpuidEntry> host) {
        if (this == HOST) {
            return host;
        }
        List<String> missing = lacking(host);
        if (!missing.isEmpty()) {
            throw new HypervisorException(
                    "cpu-model",
                    "this host can't give a guest " + text + ": it lacks " + String.join(", ", missing),
                    "choose a lower level, or host for all that this processor has");
        }
        var leaves = new ArrayList<CpuidEntry>();
        for (CpuidEntry leaf : host) {
            CpuidEntry kept = BaselineLeaves.keep(leaf, level, host);
            if (kept != null) {
                leaves.add(kept);
            }
        }
        return leaves;
    }
}
