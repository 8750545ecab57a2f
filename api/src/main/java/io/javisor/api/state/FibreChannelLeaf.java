package io.javisor.api.state;

import io.javisor.api.FibreChannelSpec;
import io.javisor.api.FibreChannelSpec.Attachment;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.fibrechannel.FabricLogin;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A Fibre Channel adapter's description in a saved machine. A SAN of the application's is only named: it is the application's to
 * connect again.
 */
final class FibreChannelLeaf {
    private FibreChannelLeaf() {}

    static StateWriter save(FibreChannelSpec spec) {
        var out = new StateWriter();
        switch (spec) {
            case FibreChannelSpec(
                    var attachment,
                    var fabric,
                    var nodeA,
                    var portA,
                    var nodeB,
                    var portB,
                    var active) -> {
                out.put("fabric", fabric)
                        .put("nodeA", hex(nodeA))
                        .put("portA", hex(portA))
                        .put("nodeB", hex(nodeB))
                        .put("portB", hex(portB))
                        .put("active", active.name());
                switch (attachment) {
                    case Attachment.None(var was) -> out.put("was", was);
                    case Attachment.San(var san) -> out.put("was", san.name());
                    case Attachment.Files(var san, var paths, var luns) -> files(out, san, paths, luns);
                    case Attachment.Npiv(var host) -> out.put("npiv", host);
                }
            }
        }
        return out;
    }

    private static void files(StateWriter out, String san, int paths, List<FibreChannelSpec.Lun> luns) {
        out.put("san", san).put("paths", paths).put("luns", luns.size());
        for (int i = 0; i < luns.size(); i++) {
            out.put("lun" + i, luns.get(i).number());
            out.put("drive" + i, DriveLeaf.save(luns.get(i).drive()));
        }
    }

    private static String hex(@org.jspecify.annotations.Nullable Wwn name) {
        return Objects.requireNonNull(name).hex(); // a machine that exists has given its adapters names
    }

    static FibreChannelSpec read(StateReader in) {
        try {
            var spec = new FibreChannelSpec(
                    attachment(in),
                    in.getString("fabric"),
                    Wwn.of(in.getString("nodeA")),
                    Wwn.of(in.getString("portA")),
                    Wwn.of(in.getString("nodeB")),
                    Wwn.of(in.getString("portB")),
                    WwnSet.valueOf(in.getString("active")));
            spec.checkNames();
            return spec;
        } catch (IllegalArgumentException e) {
            throw new StateException("spec: Fibre Channel adapter: " + e.getMessage());
        }
    }

    private static Attachment attachment(StateReader in) {
        if (in.has("san")) {
            return files(in);
        }
        return in.has("npiv") ? new Attachment.Npiv(in.getString("npiv")) : new Attachment.None(in.getString("was"));
    }

    private static Attachment files(StateReader in) {
        var luns = new ArrayList<FibreChannelSpec.Lun>();
        int count = in.getInt("luns", 0, FabricLogin.LUNS);
        for (int i = 0; i < count; i++) {
            luns.add(new FibreChannelSpec.Lun(
                    in.getInt("lun" + i, 0, FabricLogin.LUNS - 1), DriveLeaf.read(in.getInner("drive" + i))));
        }
        return new Attachment.Files(in.getString("san"), in.getInt("paths", 1, FibreChannelSpec.MOST_PATHS), luns);
    }
}
