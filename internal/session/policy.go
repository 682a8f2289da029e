package session

import (
	"context"
	"slices"
	"strings"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// Policy says on how many devices of a platform a user may be signed in.
type Policy string

// The policies.
const (
	ManyDevices Policy = "many"
	// KickDevice lets one device a platform in: the last one that signs in. The one before is
	// signed out, and told.
	KickDevice Policy = "kick"
	// RefuseDevice lets one device a platform in: the first one, as long as it is connected.
	RefuseDevice Policy = "refuse"
)

// Devices is the policy with what counts as one platform.
type Devices struct {
	Policy Policy
	// Groups are platforms that count as one; every other one counts by itself.
	Groups [][]string
}

// same says whether two platforms count as one.
func (d *Devices) same(x, y string) bool {
	return strings.EqualFold(x, y) || slices.ContainsFunc(d.Groups, func(group []string) bool {
		return containsFold(group, x) && containsFold(group, y)
	})
}

func containsFold(list []string, text string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) })
}

// limited says whether the policy is about who signs in.
func (h *Hub) limited(id *Admission) bool {
	return h.cfg.Devices.Policy != ManyDevices && h.cfg.Devices.Policy != "" && id.Key == nil && !id.Guest
}

// checkDevice says whether a session that is to be opened names its device, where it must.
func (h *Hub) checkDevice(id *Admission) error {
	if h.limited(id) && id.Device == "" {
		return paramError("device", "device: this server lets a user be signed in on one device of a platform: name the device, and its platform")
	}
	return nil
}

// deviceOf gives the device that a session is on, as it named itself now or when it last did.
func (h *Hub) deviceOf(ctx context.Context, id *Admission, d *wire.Device) (chat.Device, error) {
	if d != nil {
		return *id.device(d), nil
	}
	if err := h.cfg.Chat.FlushVisits(ctx); err != nil {
		return chat.Device{}, err
	}
	account, err := h.cfg.Chat.Account(ctx, id.User)
	if err != nil {
		return chat.Device{}, err
	}
	if known := account.Device(id.Device); known != nil {
		return *known, nil
	}
	return chat.Device{ID: id.Device, Token: id.Token}, nil
}

// settle has the policy hold for a session that is live, nil for a call that opens none: who
// comes later finds the one who came before.
func (h *Hub) settle(ctx context.Context, id *Admission, d *wire.Device, own *seat) error {
	if !h.limited(id) {
		return nil
	}
	device, err := h.deviceOf(ctx, id, d)
	if err != nil {
		return err
	}
	earlier, later := h.others(id, &device, own)
	if h.cfg.Devices.Policy == RefuseDevice {
		if len(earlier) > 0 {
			there := earlier[0].place().named()
			return elsewhere("on this platform you are signed in on " + there + ": sign out there first")
		}
		return nil
	}
	if len(later) > 0 {
		return elsewhere("you have signed in on " + later[0].place().named())
	}
	same := func(platform string) bool { return h.cfg.Devices.same(platform, device.Platform) }
	if err := h.cfg.Chat.SignInAlone(ctx, id.User, device, same); err != nil {
		return err
	}
	for _, l := range earlier {
		l.revoke(&wire.Close{
			Code: string(wire.CodeElsewhere), Device: device.Called(),
			Message: "you have signed in on " + device.Called() + ", and are signed out here",
		})
	}
	return nil
}

// others answers the live sessions of the user's other devices of the same platform, those
// that were there before the own one and those that came after it.
func (h *Hub) others(id *Admission, d *chat.Device, own *seat) (earlier, later []seated) {
	for _, l := range h.liveOf(id.User) {
		p := l.place()
		if p == own || p.going.Load() || p.id.Device == d.ID || !h.cfg.Devices.same(p.platform, d.Platform) {
			continue
		}
		if own != nil && p.number > own.number {
			later = append(later, l)
		} else {
			earlier = append(earlier, l)
		}
	}
	return earlier, later
}

func elsewhere(message string) error { return wire.Errorf(wire.CodeElsewhere, "%s", message) }

// SignInAlone notes a sign-in that opens no live session, and has the policy hold for it.
func (h *Hub) SignInAlone(ctx context.Context, id *Admission, d *wire.Device) error {
	if err := h.checkDevice(id); err != nil {
		return err
	}
	if err := h.settle(ctx, id, d, nil); err != nil {
		return err
	}
	if d != nil && id.Key == nil {
		h.cfg.Chat.SignedIn(id.User, id.device(d))
	}
	return nil
}

// named is what a session's device is called.
func (s *seat) named() string {
	d := chat.Device{ID: s.id.Device}
	if s.device != nil {
		d.Name = s.device.Name
	}
	return d.Called()
}
