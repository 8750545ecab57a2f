package io.javisor.kvm.gdb;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A register as gdb knows it. Their order is their numbers, and that of gdb's own x86-64 descriptions (gdb's manual, "i386
 * Features"): the features' names and the registers in them are gdb's, but for the last one, whose registers gdb shows without
 * knowing what they are.
 *
 * @param feature the group in which gdb looks for it
 * @param name as gdb names it
 * @param bits size
 * @param type of the value
 */
record Register(String feature, String name, int bits, String type) {
    private static final String CORE = "org.gnu.gdb.i386.core";
    private static final String SSE = "org.gnu.gdb.i386.sse";
    private static final String SEGMENTS = "org.gnu.gdb.i386.segments";
    private static final String CONTROL = "io.javisor.x86.control";

    /** All, by number. */
    static final List<Register> ALL = all();

    /** Bytes of it in a message. */
    int bytes() {
        return bits / 8;
    }

    private static List<Register> all() {
        var all = new ArrayList<Register>();
        for (String name : List.of("rax", "rbx", "rcx", "rdx", "rsi", "rdi")) {
            all.add(new Register(CORE, name, 64, "int64"));
        }
        for (String name : List.of("rbp", "rsp")) {
            all.add(new Register(CORE, name, 64, "data_ptr"));
        }
        for (int i = 8; i < 16; i++) {
            all.add(new Register(CORE, "r" + i, 64, "int64"));
        }
        all.add(new Register(CORE, "rip", 64, "code_ptr"));
        all.add(new Register(CORE, "eflags", 32, "flags_x86"));
        for (String name : List.of("cs", "ss", "ds", "es", "fs", "gs")) {
            all.add(new Register(CORE, name, 32, "int32"));
        }
        for (int i = 0; i < 8; i++) {
            all.add(new Register(CORE, "st" + i, 80, "i387_ext"));
        }
        for (String name : List.of("fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop")) {
            all.add(new Register(CORE, name, 32, "int32"));
        }
        for (int i = 0; i < 16; i++) {
            all.add(new Register(SSE, "xmm" + i, 128, "vec128"));
        }
        all.add(new Register(SSE, "mxcsr", 32, "int32"));
        all.add(new Register(SEGMENTS, "fs_base", 64, "data_ptr"));
        all.add(new Register(SEGMENTS, "gs_base", 64, "data_ptr"));
        for (String name : List.of("cr0", "cr2", "cr3", "cr4", "cr8", "efer")) {
            all.add(new Register(CONTROL, name, 64, "int64"));
        }
        return List.copyOf(all);
    }

    /** The target description that tells gdb all this, as XML (gdb's manual, appendix G). */
    static String description() {
        var xml = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n")
                .append("<target version=\"1.0\">\n<architecture>i386:x86-64</architecture>\n");
        String feature = "";
        for (Register r : ALL) {
            if (!r.feature.equals(feature)) {
                xml.append(feature.isEmpty() ? "" : "</feature>\n")
                        .append("<feature name=\"")
                        .append(r.feature)
                        .append("\">\n")
                        .append(types(r.feature));
                feature = r.feature;
            }
            xml.append("<reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>%n"
                    .formatted(r.name, r.bits, r.type)
                    .toLowerCase(Locale.ROOT));
        }
        return xml.append("</feature>\n</target>\n").toString();
    }

    private static String types(String feature) {
        return switch (feature) {
            case CORE -> flags();
            case SSE -> vector();
            default -> "";
        };
    }

    /** Intel SDM volume 1, 3.4.3. */
    private static String flags() {
        var xml = new StringBuilder("<flags id=\"flags_x86\" size=\"4\">\n");
        var bits = List.of(
                "CF:0", "PF:2", "AF:4", "ZF:6", "SF:7", "TF:8", "IF:9", "DF:10", "OF:11", "NT:14", "RF:16", "VM:17",
                "AC:18", "VIF:19", "VIP:20", "ID:21");
        for (String flag : bits) {
            String[] parts = flag.split(":", 2);
            xml.append("<field name=\"%1$s\" start=\"%2$s\" end=\"%2$s\"/>\n".formatted(parts[0], parts[1]));
        }
        return xml.append("</flags>\n").toString();
    }

    private static String vector() {
        var xml = new StringBuilder();
        var members = List.of(
                "v4_float:ieee_single:4",
                "v2_double:ieee_double:2",
                "v16_int8:int8:16",
                "v8_int16:int16:8",
                "v4_int32:int32:4",
                "v2_int64:int64:2");
        for (String member : members) {
            String[] parts = member.split(":", 3);
            xml.append("<vector id=\"t_%s\" type=\"%s\" count=\"%s\"/>\n".formatted(parts[0], parts[1], parts[2]));
        }
        xml.append("<union id=\"vec128\">\n");
        for (String member : members) {
            String name = member.split(":", 2)[0];
            xml.append("<field name=\"%1$s\" type=\"t_%1$s\"/>\n".formatted(name));
        }
        return xml.append("<field name=\"uint128\" type=\"uint128\"/>\n</union>\n")
                .toString();
    }
}
