; What the installer does besides copying files. The window is asked to end, as a program that
; runs keeps its files; a node without a window does not hear that and has to be stopped by hand.

!macro BITDUST_END_NODE
  nsExec::Exec 'taskkill /IM bitdust.exe'
  Pop $0
  nsExec::Exec 'taskkill /IM bitdust-desktop.exe'
  Pop $0
  Sleep 1500
!macroend

!macro NSIS_HOOK_PREINSTALL
  !insertmacro BITDUST_END_NODE
!macroend

!macro NSIS_HOOK_PREUNINSTALL
  !insertmacro BITDUST_END_NODE
!macroend

; Autostart is asked for in the window, so nobody but us can take it away again. The home with
; the keys and the catalogue stays: it belongs to the person.
!macro NSIS_HOOK_POSTUNINSTALL
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "BitDust"
!macroend
