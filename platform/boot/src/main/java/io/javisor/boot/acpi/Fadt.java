package io.javisor.boot.acpi;

/** The Fixed ACPI Description Table, revision 6.5 (ACPI 6.5 section 5.2.9), of 276 bytes. */
final class Fadt {
    private static final int LENGTH = 276;
    private static final int ENTERPRISE_SERVER = 4;
    private static final int NO_VGA = 1 << 2;
    private static final int NO_CMOS_RTC = 1 << 5;
    private static final int WBINVD = 1;
    private static final int NO_FIXED_POWER_BUTTON = 1 << 4;
    private static final int NO_FIXED_SLEEP_BUTTON = 1 << 5;
    private static final int RESET_REG = 1 << 10;
    private static final int HW_REDUCED = 1 << 20;

    private Fadt() {}

    static AcpiTable render(AcpiPlatform platform, long dsdt) {
        // Bit 1 of the boot architecture flags, an 8042, stays clear. Linux asks the CMOS clock whatever bit 5 says.
        int bootArchitecture = NO_VGA | (platform.centuryRegister() == 0 ? NO_CMOS_RTC : 0);
        var b = new Bytes()
                .zeros(40 - AcpiTable.HEADER)
                .u32(dsdt >>> 32 == 0 ? (int) dsdt : 0)
                .zeros(1)
                .u8(ENTERPRISE_SERVER)
                .zeros(108 - 46)
                .u8(platform.centuryRegister())
                .u16(bootArchitecture)
                .u8(0)
                .u32(WBINVD | NO_FIXED_POWER_BUTTON | NO_FIXED_SLEEP_BUTTON | RESET_REG | HW_REDUCED);
        port(b, platform.resetPort());
        b.u8(platform.resetValue()).u16(0).u8(5).u64(0).u64(dsdt).zeros(244 - 148);
        port(b, platform.sleepControlPort());
        port(b, platform.sleepStatusPort());
        b.zeros(LENGTH - AcpiTable.HEADER - b.length());
        return AcpiTable.of("FACP", 6, b.toArray());
    }

    // A generic address structure (section 5.2.3.2): system I/O, 8 bits, byte access.
    private static void port(Bytes b, int port) {
        b.u8(1).u8(8).u8(0).u8(1).u64(port);
    }
}
