package io.javisor.examples;

import static io.javisor.api.MemorySize.mib;

import io.javisor.api.VirtualMachine;

/** The first machine: boots a stock Debian kernel and asks it who it is. */
public final class FirstVm {
    private FirstVm() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) {
        try (var vm = VirtualMachine.builder("first")
                .memory(mib(512))
                .linux(l -> l.debian("6.12-cloud"))
                .build()) {
            vm.start();
            IO.print(vm.exec("uname", "-a").stdoutText());
        }
    }
}
