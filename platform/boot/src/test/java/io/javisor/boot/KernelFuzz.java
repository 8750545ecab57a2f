package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import io.javisor.partition.topology.AddressSpacePlan;

/** What every kernel file must keep to, whatever its bytes. */
final class KernelFuzz {
    private KernelFuzz() {}

    /**
     * Reads, places and loads a kernel; a BootException is an answer, everything else that is thrown is a fault.
     *
     * @return whether it was loaded
     */
    static boolean tryLoad(byte[] file, AddressSpacePlan plan, GuestMemory memory) {
        try {
            KernelImage image = Kernels.read(file);
            KernelPlace place = image.place(new FreeMemory(plan));
            if (place.gpa() < BootAddresses.BIOS_END
                    || place.length() <= 0
                    || place.length() > plan.endOfBootMemory() - place.gpa()
                    || place.entryPoint() < place.gpa()
                    || place.entryPoint() >= place.gpa() + place.length()) {
                throw new AssertionError("placed outside memory: " + place);
            }
            byte[] header = image.setupHeader();
            if (header.length > 0x290 - 0x1F1) {
                throw new AssertionError("setup header of " + header.length + " bytes reaches past its place");
            }
            image.load(memory, place);
            return true;
        } catch (BootException e) {
            return false;
        }
    }
}
