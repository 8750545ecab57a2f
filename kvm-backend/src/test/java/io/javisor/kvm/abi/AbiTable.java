package io.javisor.kvm.abi;

import io.javisor.kvm.Capability;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What Javisor believes of the kernel's ABI, as rows: {@code "field kvm_regs.rip"} to {@code "128 8"}. */
final class AbiTable {
    static final List<Class<?>> LAYOUTS =
            List.of(MemoryAbi.class, IrqAbi.class, SystemAbi.class, VcpuAbi.class, RunAbi.class);

    private AbiTable() {}

    static Map<String, String> ofJava() {
        Map<String, String> rows = new TreeMap<>();
        for (Class<?> owner : LAYOUTS) {
            for (Field field : owner.getFields()) {
                if (Modifier.isStatic(field.getModifiers()) && get(field) instanceof StructLayout struct) {
                    rows.putAll(ofStruct(struct));
                }
            }
        }
        for (Ioctl ioctl : Ioctl.values()) {
            rows.put("ioctl " + ioctl.name(), String.valueOf(ioctl.number()));
        }
        for (Field constant : Constants.class.getFields()) {
            rows.put("constant " + constant.getName(), String.valueOf(get(constant)));
        }
        for (Capability capability : Capability.values()) {
            rows.put("constant " + capability.kernelName(), String.valueOf(capability.number()));
        }
        return rows;
    }

    static Map<String, String> ofStruct(StructLayout struct) {
        Map<String, String> rows = new TreeMap<>();
        rows.put("struct " + struct.name().orElseThrow(), String.valueOf(struct.byteSize()));
        for (Struct.Field field : Struct.fields(struct)) {
            rows.put("field " + field.path(), field.offset() + " " + field.size());
        }
        return rows;
    }

    /** Rows as the C program prints them. */
    static Map<String, String> parse(List<String> lines) {
        Map<String, String> rows = new TreeMap<>();
        for (String line : lines) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] words = line.split(" ", 3);
                rows.put(words[0] + " " + words[1], words[2]);
            }
        }
        return rows;
    }

    private static Object get(Field field) {
        try {
            return field.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
