import { ILab } from './lab';

export function addMenu(lab: ILab): void {
  void lab;
}
