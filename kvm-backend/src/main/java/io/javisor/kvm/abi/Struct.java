package io.javisor.kvm.abi;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.UnionLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Builds layouts the way C lays out structures, and finds fields in them by C's names. */
public final class Struct {
    private Struct() {}

    /** An unsigned 8-bit field. */
    static MemoryLayout u8(String name) {
        return ValueLayout.JAVA_BYTE.withName(name);
    }

    /** An unsigned 16-bit field. */
    static MemoryLayout u16(String name) {
        return ValueLayout.JAVA_SHORT.withName(name);
    }

    /** A 32-bit field. */
    static MemoryLayout u32(String name) {
        return ValueLayout.JAVA_INT.withName(name);
    }

    /** A 64-bit field. */
    static MemoryLayout u64(String name) {
        return ValueLayout.JAVA_LONG.withName(name);
    }

    /** An array field. */
    static MemoryLayout array(String name, long count, MemoryLayout element) {
        return MemoryLayout.sequenceLayout(count, element.withoutName()).withName(name);
    }

    /** A field that is itself a structure. */
    static MemoryLayout nested(String name, MemoryLayout struct) {
        return struct.withName(name);
    }

    /** A structure with C's padding between fields and at the end. */
    static StructLayout struct(String name, MemoryLayout... fields) {
        List<MemoryLayout> all = new ArrayList<>();
        long at = 0;
        long alignment = 1;
        for (MemoryLayout field : fields) {
            long aligned = (at + field.byteAlignment() - 1) & -field.byteAlignment();
            if (aligned > at) {
                all.add(MemoryLayout.paddingLayout(aligned - at));
            }
            all.add(field);
            at = aligned + field.byteSize();
            alignment = Math.max(alignment, field.byteAlignment());
        }
        long size = (at + alignment - 1) & -alignment;
        if (size > at) {
            all.add(MemoryLayout.paddingLayout(size - at));
        }
        return MemoryLayout.structLayout(all.toArray(MemoryLayout[]::new)).withName(name);
    }

    /** An anonymous union, whose fields count as fields of the structure around it. */
    static UnionLayout union(MemoryLayout... fields) {
        return MemoryLayout.unionLayout(fields);
    }

    /**
     * Where a field is.
     *
     * @param path names from the outside in; array elements are not named
     * @return bytes from the start of the structure
     */
    public static long offset(GroupLayout struct, String... path) {
        return locate(struct, path).offset();
    }

    /** How many bytes a field has. */
    public static long size(GroupLayout struct, String... path) {
        return locate(struct, path).layout().byteSize();
    }

    private record Place(long offset, MemoryLayout layout) {}

    private static Place locate(GroupLayout struct, String... path) {
        Place at = new Place(0, struct);
        for (String name : path) {
            if (!(at.layout instanceof GroupLayout group)) {
                throw new IllegalArgumentException(at.layout + " has no field " + name);
            }
            Place next = member(group, name, at.offset);
            if (next == null) {
                throw new IllegalArgumentException(group + " has no field " + name);
            }
            at = next;
        }
        return at;
    }

    private static @org.jspecify.annotations.Nullable Place member(GroupLayout group, String name, long base) {
        long at = base;
        for (MemoryLayout field : group.memberLayouts()) {
            if (field.name().isPresent()) {
                if (field.name().get().equals(name)) {
                    return new Place(at, field);
                }
            } else if (field instanceof GroupLayout anonymous) {
                Place inside = member(anonymous, name, at);
                if (inside != null) {
                    return inside;
                }
            }
            if (group instanceof StructLayout) {
                at += field.byteSize();
            }
        }
        return null;
    }

    /** One field of a structure, for comparison with C's own table. */
    public record Field(String path, long offset, long size) {}

    /** All named fields of a structure, those of nested structures too. */
    public static List<Field> fields(StructLayout struct) {
        List<Field> all = new ArrayList<>();
        collect(struct, struct.name().orElseThrow(), 0, all);
        return List.copyOf(all);
    }

    private static void collect(GroupLayout group, String prefix, long base, List<Field> into) {
        long at = base;
        for (MemoryLayout field : group.memberLayouts()) {
            if (field.name().isPresent()) {
                String path = prefix + "." + field.name().get();
                into.add(new Field(path, at, field.byteSize()));
                if (field instanceof GroupLayout nested) {
                    collect(nested, path, at, into);
                } else if (field instanceof SequenceLayout sequence
                        && sequence.elementLayout() instanceof GroupLayout element
                        && sequence.elementCount() > 0) {
                    collect(element, path + "[0]", at, into);
                }
            } else if (field instanceof GroupLayout anonymous) {
                collect(anonymous, prefix, at, into);
            }
            if (group instanceof StructLayout) {
                at += field.byteSize();
            }
        }
    }
}
