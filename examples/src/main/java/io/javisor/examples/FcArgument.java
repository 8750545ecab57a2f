package io.javisor.examples;

import io.javisor.api.FibreChannelSpec;
import io.javisor.api.MachineBuilder;
import io.javisor.api.SpecException;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What {@code --fc} is given: a SAN of the machine's own or an adapter of the host's, the adapter's names, and what it sees there. A disk's file and options
 * go on to where the next option of the adapter begins.
 *
 * @param text as it was given
 * @param options name and value, in their order
 */
record FcArgument(String text, List<Part> options) {
    static final String SYNTAX =
            "san=NAME|npiv=HOST[,fabric=NAME][,wwnn=WWN][,wwpn-a=WWN][,wwpn-b=WWN][,active=a|b][,paths=N]"
                    + "[,lun=N:FILE[,format=raw|vhd|vhdx][,readonly][,overlay][,direct][,shared][,sector=4096]]...";

    private static final Set<String> NAMES =
            Set.of("san", "npiv", "fabric", "wwnn", "wwpn-a", "wwpn-b", "active", "paths", "lun");

    /**
     * An option.
     *
     * @param name before the equals sign
     * @param value after it
     */
    record Part(String name, String value) {}

    static FcArgument parse(String text) {
        var options = new ArrayList<Part>();
        for (String word : text.split(",", -1)) {
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            if (equals >= 0 && NAMES.contains(name)) {
                options.add(new Part(name, word.substring(equals + 1)));
            } else if (!options.isEmpty() && options.getLast().name().equals("lun")) {
                Part disk = options.removeLast();
                options.add(new Part("lun", disk.value() + "," + word));
            } else {
                throw new IllegalArgumentException(
                        "--fc " + text + ": no option \"" + word + "\"; write --fc " + SYNTAX);
            }
        }
        if (options.stream()
                .noneMatch(
                        option -> option.name().equals("san") || option.name().equals("npiv"))) {
            throw new IllegalArgumentException("--fc " + text + ": no SAN; write --fc " + SYNTAX);
        }
        var argument = new FcArgument(text, options);
        argument.spec(); // says what is wrong
        return argument;
    }

    void addTo(MachineBuilder machine) {
        machine.fibreChannel(this::describe);
    }

    FibreChannelSpec spec() {
        var builder = new FibreChannelSpec.Builder();
        try {
            describe(builder);
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--fc " + text + ": " + e.getMessage(), e);
        } catch (SpecException e) {
            throw new IllegalArgumentException(
                    "--fc " + text + ": " + e.problems().getFirst(), e);
        }
    }

    private void describe(FibreChannelSpec.Builder to) {
        for (Part option : options) {
            String value = option.value();
            switch (option.name()) {
                case "san" -> to.files(value);
                case "npiv" -> to.npiv(value);
                case "fabric" -> to.fabric(value);
                case "wwnn" -> to.node(Wwn.of(value));
                case "wwpn-a" -> to.portA(Wwn.of(value));
                case "wwpn-b" -> to.portB(Wwn.of(value));
                case "active" -> to.active(set(value));
                case "paths" -> to.paths(number("paths", value));
                default -> disk(value, to);
            }
        }
    }

    private static void disk(String value, FibreChannelSpec.Builder to) {
        int colon = value.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("lun=" + value + "; write lun=N:FILE");
        }
        DriveArgument drive = DriveArgument.parse("lun", value.substring(colon + 1));
        to.lun(number("lun", value.substring(0, colon)), drive.file(), drive::describe);
    }

    private static WwnSet set(String name) {
        return switch (name) {
            case "a", "A" -> WwnSet.A;
            case "b", "B" -> WwnSet.B;
            default -> throw new IllegalArgumentException("active=" + name + "; a and b are the sets");
        };
    }

    private static int number(String option, String value) {
        if (!value.matches("[0-9]{1,9}")) {
            throw new IllegalArgumentException(option + ": " + value + " is no number");
        }
        return Integer.parseInt(value);
    }
}
