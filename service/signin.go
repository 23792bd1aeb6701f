package service

import "sumun.dev/aws"

// A SignIn is somebody's attempt to sign in to the console with a name, a password
// and the code of an MFA device, as IAM has found it.
type SignIn struct {
	User     *aws.Principal // whose name it is; nil: nobody's
	MFA      bool           // the user has MFA devices
	Password bool           // the password is right
	Right    bool           // so is the code, if there has to be one

	// Of an attempt that is right only.
	Device     aws.ARN // of the MFA device whose code it was; zero: the user has none
	MustChange bool    // the password has to be changed first
	Expired    bool    // the password counts no more, and only an administrator can set another

	Code string // as typed
	Hash string // of the password that was right
}
