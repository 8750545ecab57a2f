package io.javisor.boot.acpi;

import io.javisor.partition.acpi.AcpiDevice;
import io.javisor.partition.acpi.AcpiEventDevice;
import io.javisor.partition.acpi.AcpiGenerationCounter;
import io.javisor.partition.acpi.AcpiModule;
import io.javisor.partition.acpi.AcpiNode;
import io.javisor.partition.acpi.AcpiResource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The Differentiated System Description Table: {@code \_S5} and all devices, below {@code \_SB}. */
final class Dsdt {
    private static final int PRESENT = 0x0F; // _STA: present, enabled, shown, working (section 6.3.7)

    private Dsdt() {}

    static AcpiTable render(int sleepTypeS5, List<AcpiNode> nodes) {
        byte[] zero = Aml.integer(0);
        return AcpiTable.of(
                "DSDT",
                2,
                new Bytes()
                        .put(Aml.name("\\_S5_", Aml.pack(Aml.integer(sleepTypeS5), zero, zero, zero)))
                        .put(Aml.scope("\\_SB_", all(nodes)))
                        .toArray());
    }

    private static byte[][] all(List<AcpiNode> nodes) {
        return nodes.stream().map(Dsdt::node).toArray(byte[][]::new);
    }

    private static byte[] node(AcpiNode node) {
        return switch (node) {
            case AcpiDevice d ->
                Aml.device(
                        d.name(),
                        head(d.hardwareId(), d.uniqueId(), d.resources(), d.proximity())
                                .toArray(byte[][]::new));
            case AcpiEventDevice e -> eventDevice(e);
            case AcpiGenerationCounter g -> generationCounter(g);
            case AcpiModule m -> {
                List<byte[]> terms = head("ACPI0004", m.uniqueId(), m.resources(), m.proximity());
                m.children().forEach(child -> terms.add(node(child)));
                yield Aml.device(m.name(), terms.toArray(byte[][]::new));
            }
        };
    }

    private static List<byte[]> head(String hid, int uid, List<AcpiResource> resources, OptionalInt proximity) {
        var terms = new ArrayList<byte[]>();
        terms.add(hardwareId(hid));
        terms.add(Aml.name("_UID", Aml.integer(uid)));
        terms.add(Aml.name("_STA", Aml.integer(PRESENT)));
        proximity.ifPresent(node -> terms.add(Aml.name("_PXM", Aml.integer(node))));
        terms.add(Aml.name("_CRS", Resources.template(resources)));
        return terms;
    }

    // Section 6.1.5 allows an EISA ID or a string of the form NNNN####; Hyper-V's names have neither, so that a method
    // returns
    // them, which compilers don't look into.
    private static byte[] hardwareId(String hid) {
        if (hid.matches("[A-Z]{3}[0-9A-F]{4}")) {
            return Aml.name("_HID", Aml.eisaId(hid));
        }
        if (hid.matches("[A-Z0-9]{4}[0-9A-F]{4}")) {
            return Aml.name("_HID", Aml.string(hid));
        }
        return Aml.method("_HID", 0, false, Aml.returns(Aml.string(hid)));
    }

    private static byte[] eventDevice(AcpiEventDevice e) {
        List<byte[]> terms = head("ACPI0013", e.uniqueId(), List.of(e.interrupt()), OptionalInt.empty());
        terms.add(Aml.region("EVTS", Aml.SYSTEM_IO, e.port(), 1));
        terms.add(Aml.byteField("EVTS", "EVTR", 8));
        var body = new ArrayList<byte[]>();
        body.add(Aml.store(Aml.path("EVTR"), Aml.LOCAL0));
        for (AcpiEventDevice.Event event : e.events()) {
            body.add(Aml.when(
                    Aml.and(Aml.LOCAL0, Aml.integer(1L << event.bit())),
                    Aml.notify("\\_SB_." + event.target(), event.notification())));
        }
        terms.add(Aml.method("_EVT", 1, true, body.toArray(byte[][]::new)));
        return Aml.device(e.name(), terms.toArray(byte[][]::new));
    }

    private static byte[] generationCounter(AcpiGenerationCounter g) {
        return Aml.device(
                g.name(),
                hardwareId("VMGENCTR"),
                Aml.name("_CID", Aml.string("VM_Gen_Counter")),
                Aml.name("_DDN", Aml.string("VM_Gen_Counter")),
                Aml.name("_UID", Aml.integer(g.uniqueId())),
                Aml.name("_STA", Aml.integer(PRESENT)),
                Aml.name("ADDR", Aml.pack(Aml.integer(g.gpa() & 0xFFFF_FFFFL), Aml.integer(g.gpa() >>> 32))));
    }
}
